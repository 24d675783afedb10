"""Cases as tests need them: answered images without a network, and cases made of them."""

import hashlib
import io

import numpy as np
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, verdicts
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from tests.support.bundle_factory import write_bundle

POINT = OperatingPoint(0.3, 0.7, 0.5)
# One of each decision, in the order of the numbers 1 to 5; the last has no pixels that could be read.
PROBABILITIES = (0.9, 0.5, 0.1, None, None)


def png(seed, side=cells.PICTURE):
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[side // 4 : -side // 4, side // 4 : -side // 4] = np.random.default_rng(seed).integers(40, 250, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def result(number, probability=0.9, *, name=None, drawn=False, readable=True):
    """An answered image; without a probability it was set apart."""
    image_id = hashlib.sha256(f"cell {number}".encode()).hexdigest() if readable else ""
    answer = Answer(
        name or f"cell-{number}.bmp",
        probability,
        "" if probability is not None else "Unlike the cells the model was trained on: blurred.",
        image_id=image_id,
        area=20_000 + number,
        thumbnail=b"small" if readable else b"",
        picture=png(number) if readable else b"",
        distance=0.5,
    )
    return Result(f"key {number}", answer, drawn)


def bundle_at(folder):
    """A bundle, written once."""
    return bundles.read(folder if folder.exists() else write_bundle(folder))


def make_case(data, identifier="P-1", probabilities=PROBABILITIES, *, first=1, **options):
    """A case with cells of these probabilities; one at the end without any has no picture either."""
    made = cases.create(data, identifier, who="Ada", **options)
    results = [
        result(first + place, p, readable=not (p is None and place == len(probabilities) - 1))
        for place, p in enumerate(probabilities)
    ]
    cells.add(data, made.id, results, bundle_at(data / "bundle"), POINT, who="Ada", version=3)
    return cases.find(data, made.id)


def read_all(data, case_id, verdict, reader="Ada"):
    """One reader's verdict on every cell of a case; what has no picture is rejected."""
    for seen, given, reason in ((True, verdict, ""), (False, verdicts.REJECTED, "no picture")):
        numbers = [one.number for one in cells.cells(data, case_id) if bool(one.image_id) is seen]
        verdicts.give(data, case_id, numbers, given, reader=reader, reason=reason)
