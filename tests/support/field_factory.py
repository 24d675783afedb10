"""Answered fields without a network: what a batch holds of them, and a case with their cells."""

import io
from dataclasses import replace

from PIL import Image

from leukemia.cases import case as cases
from leukemia.cases import cells
from leukemia.segmentation.place import FieldPicture, Place
from tests.support.case_factory import POINT, bundle_at, result

RING = ((10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 10.0))


def field(name="smear.jpg", image_id="f" * 64, **more):
    """A field; without ``file`` its pixels were not kept."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (230, 220, 220)).save(out, "WEBP")
    return FieldPicture(name, 640, 480, image_id, out.getvalue(), "scale: 0.1 µm per pixel", **more)


def cell_of(key, number, probability=0.9, *, first=1, edge=False):
    """The answer to a cell of the field with this key; ``first`` is the number of its pixels."""
    place = Place("smear.jpg", number, 10.0 * number, 10.0, 50.0, 40.0, 0.9, edge, RING)
    one = result(first + number - 1, probability, name=f"smear.jpg, cell {number}")
    return replace(one, key=f"{key} {number}", field=key, answer=replace(one.answer, place=place))


def make_case_of_field(data, probabilities=(0.9, 0.5, None), identifier="P-1", **options):
    """A case whose cells are all of one field."""
    made = cases.create(data, identifier, who="Ada", **options)
    results = [cell_of("A", at, p) for at, p in enumerate(probabilities, 1)]
    bundle = bundle_at(data / "bundle")
    cells.add(data, made.id, results, bundle, POINT, who="Ada", fields={"A": field()})
    return cases.find(data, made.id)
