"""The two classes of C-NMC 2019, and how a label is compared with them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

NORMAL, ALL = "Normal", "ALL"
CLASSES = {NORMAL: 0, ALL: 1}
LABELS = tuple(CLASSES)


def is_all(labels: Any) -> "np.ndarray":
    """Tell which labels are ALL.

    Parameters
    ----------
    labels : array_like of str
        ``"ALL"``, ``"Normal"`` or ``""`` (no label), shape (n,): a column ``label``, an array, a list.

    Returns
    -------
    numpy.ndarray
        bool, shape (n,).
    """
    import numpy as np  # here, since this module is imported where numpy is not needed

    return np.asarray(labels) == ALL
