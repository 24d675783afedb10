"""Metrics of parts of the held-out cells: by source, subgroup and patient, and of changed pictures."""
