"""Long work as processes of their own: one door, one queue."""
