"""From image files to decisions."""
