"""How many threads a process computes with, whatever library does it."""

import os

# Read by TensorFlow and by NumPy's linear algebra, once.
NAMES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def limit(threads: int) -> None:
    """Have libraries compute with so many threads; to be called before they are imported."""
    os.environ |= dict.fromkeys(NAMES, str(threads))
