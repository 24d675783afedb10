"""Bytes to one cell: the only way in for pixels."""
