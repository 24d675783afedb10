"""The sections of the Classify page."""
