"""Ours beside the plain way, measured in one run: ``python -m benchmarks.NAME``."""

import leukemia  # noqa: F401 (before the libraries: what they report is off, see leukemia.offline)
