"""The table of the white cells of fields: a row a cell, and a row for a field without one."""

from leukemia.segmentation.scale import FieldScale
from leukemia.segmentation.segment import WhiteCell
from leukemia.settings import RESEARCH_USE
from leukemia.storage.spreadsheet import inert

BOX = ("x", "y", "width", "height", "confidence", "edge")
STAIN = ("matched_crop", "distance", "distance_unmatched", "distance_limit")
COLUMNS = (
    "field",
    *BOX,
    "crop",
    "error",
    "area_um2",
    "nucleus_share",
    "pixel_size_um",
    # Where the stain was matched: the file of the cell recoloured; how far it lies from the training cells
    # then, and as it is; and up to where a model answers.
    *STAIN,
    "note",
    "notice",
)
DIGITS = 1


def box(cell: WhiteCell) -> dict[str, object]:
    """Where a cell lies and how sure it is one: columns :data:`BOX`."""
    return {
        "x": round(cell.x, DIGITS),
        "y": round(cell.y, DIGITS),
        "width": round(cell.width, DIGITS),
        "height": round(cell.height, DIGITS),
        "confidence": round(cell.confidence, 4),
        "edge": "yes" if cell.edge else "no",
    }


def row(
    field: str,
    cell: WhiteCell,
    scale: FieldScale,
    *,
    crop: str = "",
    error: str = "",
    nucleus_area: float | None = None,
    note: str = "",
) -> dict[str, object]:
    """A cell as a row; columns :data:`COLUMNS`.

    Parameters
    ----------
    field : str
        What the field is called.
    cell : WhiteCell
    scale : FieldScale
        Of the field.
    crop : str, optional
        The file that it was cut out to.
    error : str, optional
        Why it was not cut out.
    nucleus_area : float, optional
        Square pixels of the field; None where no nucleus was told apart.
    note : str, optional
        What a reader must know of the field.
    """
    area = cell.outline.area
    return {
        "field": inert(field),
        **box(cell),
        "crop": inert(crop),
        "error": error,
        "area_um2": round(area * scale.pixel_size**2, DIGITS) if scale.known else "",
        "nucleus_share": "" if nucleus_area is None else round(min(nucleus_area / max(area, 1e-9), 1.0), 3),
        "pixel_size_um": _size(scale),
        **dict.fromkeys(STAIN, ""),
        "note": note,
        "notice": RESEARCH_USE,
    }


def empty_row(
    field: str, *, error: str = "", note: str = "", scale: FieldScale | None = None
) -> dict[str, object]:
    """A field without a white cell, or one that could not be read, as a row."""
    return dict.fromkeys(COLUMNS, "") | {
        "field": inert(field),
        "error": error,
        "pixel_size_um": _size(scale),
        "note": note,
        "notice": RESEARCH_USE,
    }


def place(box: tuple[float, float, float, float]) -> dict[str, object]:
    """Where something that is no cell lies: ``box`` is its left, top, right and bottom."""
    left, top, right, bottom = box
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _size(scale: FieldScale | None) -> float | str:
    return round(scale.pixel_size, 4) if scale and scale.known else ""
