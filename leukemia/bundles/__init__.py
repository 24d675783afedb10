"""A model on disk: its schema, how it is written and read, its card."""
