"""White cells found in fields of a smear, ours beside the plain way.

    python -m benchmarks.segmentation FIELDS [--list] [--cells FOLDER] [--large]

``FIELDS`` is a set in the layout of YOLO such as TXL-PBC, of which the part ``val`` is judged: no setting was
chosen on it. The plain way is what one does without training: nuclei by their saturation (Otsu), parted by a
watershed of the distance to their edge, each box grown by the cytoplasm that cells have on average.
"""

import argparse
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import regionprops
from skimage.segmentation import watershed

from leukemia.errors import ImageError
from leukemia.imaging.cell import foreground, read_cell
from leukemia.imaging.reader import SUFFIXES
from leukemia.imaging.scale import NATIVE, PIXEL_SIZE, STATED_NATIVE
from leukemia.inference import decisions
from leukemia.inference.classifier import Classifier, Source
from leukemia.segmentation import find, scale
from leukemia.segmentation.boxes import WHITE, overlap
from leukemia.segmentation.crop import cut_out
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network, shipped
from leukemia.segmentation.scale import RED_CELL
from leukemia.segmentation.segment import segment
from leukemia.settings import RESEARCH_USE, SHIPPED
from leukemia.training.finder import labelled_fields

IOU = 0.5
# The plain way: pixels of a nucleus at the least, where the longer side is 180, and how many times as large
# as its nucleus a cell is: the best of 1.0 to 1.5 on the part ``train``.
NUCLEUS, GROWN = 150, 1.3
LARGE = 10_000, 10_000
UNSEEN = "all but copies"
COPY = 70  # of 256 bits
TURNS = tuple(Image.Transpose)
TOUCH = 1.02  # how far two cells that touch lie apart, in their own sides
GLASS, STAINED, PALE = (235, 225, 222), (205, 140, 145), (222, 175, 178)
FREE, MIDDLE = 250, 60  # pixels about the middle of the drawn field


@dataclass
class Tally:
    """Labelled cells, boxes, and pairs of both that agree."""

    labelled: int = 0
    boxes: int = 0
    agree: int = 0

    def __str__(self) -> str:
        recall, precision = self.agree / max(self.labelled, 1), self.agree / max(self.boxes, 1)
        return (
            f"recall {recall:.3f} ({self.agree} of {self.labelled}), "
            f"precision {precision:.3f} ({self.agree} of {self.boxes})"
        )


def plain(field: Field) -> np.ndarray:
    """Boxes (n, 4) of white cells by the saturation of their nuclei."""
    times = min(1.0, 180 / max(field.width, field.height))  # a nucleus is about 25 pixels across
    size = round(field.width * times), round(field.height * times)
    pixels = field.part((0, 0, field.width, field.height), size).astype(np.float32)
    saturation = 1 - pixels.min(axis=2) / np.maximum(pixels.max(axis=2), 1)
    smooth = ndimage.gaussian_filter(saturation, 1)
    nuclei = ndimage.binary_opening(smooth > threshold_otsu(smooth), iterations=2)
    nuclei = ndimage.binary_fill_holes(ndimage.binary_closing(nuclei, iterations=3))
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(nuclei), 2)
    parts, _ = ndimage.label(nuclei)
    peaks = peak_local_max(depth, min_distance=10, labels=parts)
    markers = np.zeros(parts.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    boxes = []
    for region in regionprops(watershed(-depth, markers, mask=nuclei)):
        if region.area < NUCLEUS:
            continue
        top, left, bottom, right = region.bbox
        middle, half = np.array([left + right, top + bottom]) / 2, np.array([right - left, bottom - top]) / 2
        boxes.append(np.concatenate([middle - GROWN * half, middle + GROWN * half]) / times)
    limits = (field.width, field.height) * 2
    return np.clip(np.array(boxes).reshape(-1, 4), 0, limits)


def ours(field: Field, network: Network) -> np.ndarray:
    """Boxes (n, 4) of white cells by the network, at the scale that the field's red cells tell."""
    try:
        chosen = scale.choose(field, network)
    except ImageError:
        return np.zeros((0, 4))
    return find.find(field, network, chosen.pixel_size).white.sides


def agreements(labelled: np.ndarray, boxes: np.ndarray) -> tuple[list[int], list[int]]:
    """Labelled cells without a box, and boxes without a labelled cell; the best pairs are made first."""
    pairs = []
    for number, box in enumerate(boxes):
        common = overlap(labelled, box)
        area = np.prod(labelled[:, 2:] - labelled[:, :2], axis=1)
        union = area + np.prod(box[2:] - box[:2]) - common
        pairs += [(value, one, number) for one, value in enumerate(common / union) if value >= IOU]
    missed, false = set(range(len(labelled))), set(range(len(boxes)))
    for _, one, number in sorted(pairs, reverse=True):
        if one in missed and number in false:
            missed.discard(one)
            false.discard(number)
    return sorted(missed), sorted(false)


def judge(
    fields: Path, part: str, way: Callable[[Field], np.ndarray], known: set[str], listed: bool
) -> list[str]:
    """Lines for a way of finding white cells: each picture size, all, and all without copies of ``train``."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    took, wrong = [], []
    for file in sorted((fields / "images" / part).glob("*.jpg")):
        field = read_field(file)
        labels = fields / "labels" / part / f"{file.stem}.txt"
        labelled, kinds = labelled_fields.read_boxes(labels, field.width, field.height)
        labelled = labelled[kinds == WHITE]
        began = time.perf_counter(), time.process_time()
        boxes = way(field)
        took.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        missed, false = agreements(labelled, boxes)
        sets = [f"{field.width} x {field.height}", "all"] + [UNSEEN] * (file.name not in known)
        for name in sets:
            tallies[name].labelled += len(labelled)
            tallies[name].boxes += len(boxes)
            tallies[name].agree += len(labelled) - len(missed)
        wrong += [f"  missed {file.name} {labelled[one].round().astype(int).tolist()}" for one in missed]
        wrong += [f"  false  {file.name} {boxes[one].round().astype(int).tolist()}" for one in false]
    lines = [f"  {name:>14}: {tallies[name]}" for name in sorted(tallies)]
    clock, worked = (1000 * statistics.median(one) for one in zip(*took, strict=True))
    lines.append(f"  a field takes {clock:.0f} ms at the median, {worked:.0f} ms of processor time")
    return lines + (wrong if listed else [])


def copies(fields: Path, part: str) -> set[str]:
    """Fields of a part that also stand in ``train``, resized, mirrored or turned, by a perceptual hash."""
    learned = np.array(
        [_hash(read_field(one)) for one in sorted((fields / "images" / "train").glob("*.jpg"))]
    )
    known = set()
    for file in sorted((fields / "images" / part).glob("*.jpg")):
        field = read_field(file)
        if min((learned != _hash(field, turn)).sum(axis=1).min() for turn in (None, *TURNS)) < COPY:
            known.add(file.name)
    return known


def _hash(field: Field, turn: Image.Transpose | None = None) -> np.ndarray:
    image = field.image if turn is None else field.image.transpose(turn)
    return imagehash.phash(image, 16).hash.ravel()


def touching(fields: Path, part: str, network: Network) -> str:
    """How many pairs of white cells are found as two: real cells of the fields, put beside each other."""
    parted, pairs = 0, []
    for file in sorted((fields / "images" / part).glob("*.jpg")):
        field = read_field(file)
        labels = fields / "labels" / part / f"{file.stem}.txt"
        sides, kinds = labelled_fields.read_boxes(labels, field.width, field.height)
        pairs.append((field, sides, kinds))
    rng, made = np.random.default_rng(0), 0
    for field, sides, kinds in pairs:
        pair = _pair(field, sides, kinds, rng)
        if pair is None:
            continue
        made += 1
        missed, _ = agreements(pair[1], ours(pair[0], network))
        parted += not missed
    return f"touching pairs found as two: {parted} of {made}"


def _pair(
    field: Field, sides: np.ndarray, kinds: np.ndarray, rng: np.random.Generator
) -> tuple[Field, np.ndarray] | None:
    """A field with its one white cell a second time, turned by half, close beside itself; and both boxes."""
    pixels = np.array(field.image)
    cells = labelled_fields.estimate_outlines(pixels, sides, kinds)
    (white,) = np.nonzero(kinds == WHITE)
    if len(white) != 1:
        return None
    mask = cells == white[0] + 1
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shape, turned = mask[cut][::-1, ::-1], pixels[cut][::-1, ::-1].copy()
    for angle in rng.permutation(np.linspace(0, 2 * np.pi, 24)):
        down, across = round(np.sin(angle) * height * TOUCH), round(np.cos(angle) * width * TOUCH)
        top, left = rows[0] + down, columns[0] + across
        inside = top >= 0 and left >= 0 and top + height <= field.height and left + width <= field.width
        free = inside and not (mask[top : top + height, left : left + width] & shape).any()
        if free:
            pixels[top : top + height, left : left + width][shape] = turned[shape]
            boxes = [[x, y, x + width, y + height] for x, y in ((columns[0], rows[0]), (left, top))]
            return Field.of(pixels), np.array(boxes, float)
    return None


def pasted(cells: Path, count: int, network: Network) -> list[str]:
    """Whether cells pasted on a drawn field of red cells and found again have the decision that they had."""
    classifier = Classifier.load(SHIPPED)
    point = classifier.bundle.operating_point
    files = sorted(one for one in cells.rglob("*") if one.suffix in SUFFIXES)
    same, change, found = 0, [], 0
    for file in files[:: max(1, len(files) // count)][:count]:
        cell = read_cell(file)
        pixels = red_cells()
        top, left = (len(pixels) - cell.height) // 2, (len(pixels) - cell.width) // 2
        mask = foreground(cell.pixels)
        pixels[top : top + cell.height, left : left + cell.width][mask] = cell.pixels[mask]
        field = Field.of(pixels)
        whole = segment(field, STATED_NATIVE, network)
        near = [one for one in whole.cells if abs(one.x + one.width / 2 - len(pixels) / 2) < MIDDLE]
        if not near:
            continue
        found += 1
        crop = cut_out(field, near[0].outline, whole.scale).png()
        answers = [
            next(iter(classifier.classify([Source(file.name, load, NATIVE)])))
            for load in (file.read_bytes, lambda crop=crop: crop)
        ]
        decided = [decisions.decision(one.probability, point) for one in answers]
        same += decided[0] == decided[1]
        if None not in (answers[0].probability, answers[1].probability):
            change.append(abs(answers[0].probability - answers[1].probability))
    mean = statistics.mean(change) if change else float("nan")
    return [
        f"cells pasted on drawn red cells: {found} of {count} found, {same} with the original's decision, "
        f"mean change of probability {mean:.3f} ({len(change)} answered both times)"
    ]


def red_cells() -> np.ndarray:
    """A drawn field of red cells at C-NMC's scale, its middle free: uint8 RGB."""
    side, radius = 1_200, RED_CELL / PIXEL_SIZE / 2
    pixels = np.full((side, side, 3), GLASS, np.uint8)
    rows, columns = np.ogrid[:side, :side]
    for y, x in np.ndindex(6, 6):
        at = 100 + 200 * x, 100 + 200 * y
        away = np.hypot(columns - at[0], rows - at[1])
        if max(abs(at[0] - side / 2), abs(at[1] - side / 2)) > FREE:
            pixels[away <= radius] = STAINED
            pixels[away <= radius / 2.5] = PALE
    return ndimage.gaussian_filter(pixels, (2, 2, 0))


def large(fields: Path, network: Network) -> str:
    """How fast a field of 100 megapixels is searched, made of fields of one size side by side."""
    files = sorted((fields / "images" / "val").glob("*.jpg"))
    same = [one for one in map(read_field, files) if one.width == 575]
    side = -(-LARGE[0] // 575)
    whole = Field.of(np.zeros((LARGE[1], LARGE[0], 3), np.uint8))
    for number in range(side * side):
        whole.image.paste(same[number % len(same)].image, (number % side * 575, number // side * 575))
    began = time.perf_counter()
    pixel_size = scale.choose(whole, network).pixel_size
    found = find.find(whole, network, pixel_size)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"100 megapixels at {pixel_size:.3f} µm a pixel: {100 / took:.1f} megapixels a second, "
        f"{len(found.white):,} white cells, at most {peak:,.0f} MB"
    )


def main() -> None:
    """Print the figures."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("fields", type=Path)
    command.add_argument("--part", default="val")
    command.add_argument("--list", action="store_true", help="list each cell that is missed or false")
    command.add_argument("--cells", type=Path, help="paste cells on black of this folder on drawn red cells")
    command.add_argument("--count", type=int, default=100)
    command.add_argument("--large", action="store_true", help="time 100 megapixels, too")
    options = command.parse_args()
    network, known = shipped(), copies(options.fields, options.part)
    print(f"{len(known)} fields of {options.part} also stand in train, most of them resized")
    print(
        "Plain way: saturation and watershed",
        *judge(options.fields, options.part, plain, known, False),
        sep="\n",
    )
    found = judge(options.fields, options.part, lambda one: ours(one, network), known, options.list)
    print("Ours", *found, touching(options.fields, options.part, network), sep="\n")
    if options.cells:
        print(*pasted(options.cells, options.count, network), sep="\n")
    if options.large:
        print(large(options.fields, network))
    print(RESEARCH_USE)


if __name__ == "__main__":
    main()
