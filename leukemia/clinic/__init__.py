"""What a clinician gets: decisions on cells."""
