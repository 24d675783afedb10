"""Reading single white blood cells: normal, or like acute lymphoblastic leukemia (ALL).

For research use only, not for use in diagnostic procedures.
"""

from leukemia import offline

offline.switch_off()

__version__ = "0.1.0"
