"""``python -m leukemia``: see :mod:`leukemia.cli.main`."""

import sys

from leukemia.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
