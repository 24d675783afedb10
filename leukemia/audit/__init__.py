"""What was done, by whom and when: a trail that only grows and shows where it was altered."""
