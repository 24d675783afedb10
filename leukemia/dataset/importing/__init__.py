"""A download to a prepared folder."""
