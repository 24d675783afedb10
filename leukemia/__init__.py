"""Reading single white blood cells: normal, or like acute lymphoblastic leukemia (ALL).

For research use only, not for use in diagnostic procedures.
"""

import sys

# Through this package OpenVINO and NNCF report each use to a web-analytics host and keep a client id in the
# home folder. Without it they take stubs of their own. Here, since nothing of ours is imported before.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

__version__ = "0.1.0"
