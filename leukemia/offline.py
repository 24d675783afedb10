"""Libraries tell their makers nothing, and leave nothing in the home folder.

Reached through the package itself, before any library of ours is imported: by each command, page, job and
benchmark. Processes that are started inherit it with the environment. Streamlit alone is there before us, and
is told in ``.streamlit/config.toml``.
"""

import os
import sys
from pathlib import Path

# Set whatever was set before: what a library reports is not for a user's shell to decide.
SILENT = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
}
# Where libraries keep their settings and what they compiled, by default in the home folder.
CACHE = Path(__file__).resolve().parents[1] / ".cache"
FOLDERS = {"KERAS_HOME": "keras", "MPLCONFIGDIR": "matplotlib", "NUMBA_CACHE_DIR": "numba"}


def switch_off() -> None:
    """Switch off what libraries report, and name folders of ours for what they would leave at home."""
    os.environ |= SILENT
    for name, folder in FOLDERS.items():
        os.environ.setdefault(name, str(CACHE / folder))
    # Through this package OpenVINO and NNCF report each use to a web-analytics host and keep a client id in
    # the home folder. Without it they take stubs of their own.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
