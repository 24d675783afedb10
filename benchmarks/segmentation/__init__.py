"""White cells found and outlined in fields of a smear, ours beside the plain way."""
