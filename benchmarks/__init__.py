"""Ours beside the plain way, in one run: ``python -m benchmarks.NAME``."""
