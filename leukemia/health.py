"""Whether a service of this machine answers: ``python -m leukemia.health PORT PATH``, for a container.

The status is 0 where it does. A path may begin with the environment variable that names where the service is:
``$NAME/health``.
"""

import os
import sys
import urllib.error
import urllib.request

SECONDS = 8.0


def answers(port: str, path: str) -> bool:
    """Whether the service at a port of this machine answers at a path without an error."""
    address = f"http://127.0.0.1:{int(port)}/{os.path.expandvars(path).lstrip('/')}"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS):
            return True
    except (urllib.error.URLError, OSError) as error:
        print(f"{address} does not answer: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(*sys.argv[1:3]) else 1)
