"""A map of a cell drawn over its picture: two colours, and two kinds of outline for who cannot tell them."""

import numpy as np

from leukemia.plots import style

# Below this change of the logit a map is drawn as faint as it is: there is hardly anything to see.
FAINT = 0.1
# Places beyond this share of the strongest one are outlined; those below the other are hardly coloured.
STRONG, SEEN = 0.5, 0.1
NOTHING = "No place moves the answer enough to be drawn."
OPAQUE = 0.75
DOT = 5  # pixels of a dotted outline, and between two dots


def overlay(crop: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Draw a map over the cell.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3).
    values : numpy.ndarray
        Of a :class:`leukemia.inference.occlusion.Heatmap`, shape (size, size).

    Returns
    -------
    numpy.ndarray
        uint8 RGB, shape (size, size, 3): grey where the map says nothing, in the colour of ALL-like or
        Normal-like cells where it speaks for the one or the other. A solid outline encloses what speaks most
        for ALL, a dotted one what speaks most against it. Where the map is 0, the picture's grey alone.
    """
    share = _share(values)
    opacity = OPAQUE * np.abs(share)[..., None]
    grey = np.repeat(crop.mean(axis=2, keepdims=True), 3, axis=2)
    colour = np.where(share[..., None] > 0, _rgb(style.ALL), _rgb(style.NORMAL))
    out = np.rint(grey * (1 - opacity) + colour * opacity).astype(np.uint8)
    out[_outline(share > STRONG)] = 255
    rows, columns = np.indices(values.shape)
    out[_outline(share < -STRONG) & ((rows + columns) // DOT % 2 == 0)] = 255
    return out


def caption(values: np.ndarray) -> str:
    """What the colours and outlines of :func:`overlay` mean, of those that it draws of this map."""
    said = []
    for colour, outline, meaning, share in (
        ("Orange", "solid", "speaks for ALL", _share(values)),
        ("Blue", "dotted", "speaks against ALL", -_share(values)),
    ):
        if (share > SEEN).any():
            outlined = f", {outline} outline" if (share > STRONG).any() else ""
            said.append(f"{colour}{outlined}: {meaning}.")
    return " ".join(said) or NOTHING


def _share(values: np.ndarray) -> np.ndarray:
    """Of the strongest place, -1 to 1; less where the whole map is faint."""
    return values / max(float(np.abs(values).max()), FAINT)


def _outline(part: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return part & ~ndimage.binary_erosion(part, iterations=2)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], float)
