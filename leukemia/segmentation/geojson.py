"""White cells as GeoJSON that QuPath opens: cells with outline and nucleus, in pixels of the field [1]_.

References
----------
.. [1] Bankhead P et al. QuPath: Open source software for digital pathology image analysis. Sci Rep
       2017;7:16878.
"""

import json
from collections.abc import Iterable

import numpy as np

from leukemia.segmentation.outline import SIMPLER, Outline
from leukemia.segmentation.scale import FieldScale
from leukemia.segmentation.segment import WhiteCell
from leukemia.settings import RESEARCH_USE

WHITE_CELL = {"name": "White blood cell", "color": [122, 62, 177]}
DIGITS = 2


def feature(
    cell: WhiteCell, name: str, scale: FieldScale, nucleus: Outline | None = None
) -> dict[str, object]:
    """One cell as a feature.

    Parameters
    ----------
    cell : WhiteCell
    name : str
        What it is called, such as the file that it was cut out to.
    scale : FieldScale
        Of the field; without a known one nothing is measured in micrometres.
    nucleus : Outline, optional
    """
    measured = {"Confidence": round(cell.confidence, 4)}
    for part, outline in (("Area", cell.outline), ("Nucleus: Area", nucleus)):
        if outline and scale.known:
            measured[f"{part} µm^2"] = round(outline.area * scale.pixel_size**2, 2)
    return {
        "type": "Feature",
        "geometry": _polygon(cell.outline, scale.pixel_size),
        **({"nucleusGeometry": _polygon(nucleus, scale.pixel_size)} if nucleus else {}),
        "properties": {
            "objectType": "cell",
            "name": name,
            "classification": WHITE_CELL,
            "measurements": measured,
            "edge": cell.edge,
        },
    }


def collection(features: Iterable[dict[str, object]]) -> str:
    """All cells of a field as the text of a file."""
    whole = {"type": "FeatureCollection", "features": list(features), "note": RESEARCH_USE}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n"


def _polygon(outline: Outline, pixel_size: float) -> dict[str, object]:
    corners = outline.polygon(SIMPLER / pixel_size / outline.across)
    ring = np.round(corners, DIGITS).tolist()
    return {"type": "Polygon", "coordinates": [ring]}
