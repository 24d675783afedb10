"""The map of why a cell is answered as it is: how long it takes, what covers it, and where its weight lies.

    python -m benchmarks.why [--data data] [--model BUNDLE] [--cells 100]

Four questions in one run, on labelled cells of a prepared set, as evenly by patient as can be:

- Time: a map beside one plain prediction of the same crop, in turns; the median counts.
- Covers: by how much each colour that may cover a region moves the cell away from those that the model
  learned, by the model's own distance. The one in use should hardly move it.
- Weight: the share that lies in the nucleus, beside the nucleus' share of the cell's area: a map that knew
  nothing of the cell would have that. Each patient weighs the same.
- Neighbours: how well the class of the nearest cells of other patients ranks a cell, by the distance in use
  and by that of novelty. Only where the set's features were read (``python -m leukemia map``).

The model may have learned from these cells: a map shows what moves an answer, not whether it is right.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from leukemia import settings
from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import manifest
from leukemia.evaluation import novelty
from leukemia.imaging import morphology
from leukemia.imaging.cell import crop_cell, foreground, read_cell
from leukemia.inference import features, occlusion
from leukemia.inference.classifier import Classifier
from leukemia.settings import SHIPPED

FEW = 12
ASKED, NEAREST = 300, 15


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--cells", type=int, default=100, help="of each class, for the weight")
    options = parser.parse_args()
    classifier = Classifier.load(options.model)
    cells = manifest.read(options.data)
    chosen = pd.concat([sample(cells[cells["label"] == label], options.cells) for label in (ALL, NORMAL)])
    print(f"{len(chosen):,} cells of {chosen['patient_group'].nunique()} patients, {classifier.bundle.name}")
    size = classifier.bundle.input_size
    crops = [crop_cell(read_cell(options.data / path), size) for path in chosen["path"]]
    few = crops[:: max(1, len(crops) // FEW)]
    _time(classifier, few)
    _covers(classifier, few)
    _weight(classifier, chosen, crops)
    _neighbours(classifier.bundle, options.data, cells)


def sample(cells: pd.DataFrame, count: int) -> pd.DataFrame:
    """Take so many cells, the first of each patient, then the second of each, and so on."""
    turn = cells.groupby("patient_group").cumcount()
    return cells.loc[turn.sort_values(kind="stable").index].head(count)


def _time(classifier: Classifier, crops: list[np.ndarray]) -> None:
    classifier.predict(crops[0][None])
    occlusion.explain(classifier.predict_each, crops[0])
    plain, maps, covers = [], [], []
    for crop in crops:
        plain.append(_seconds(lambda crop=crop: classifier.predict(crop[None])))
        began = time.perf_counter()
        covers.append(occlusion.explain(classifier.predict_each, crop).covers)
        maps.append(time.perf_counter() - began)
    one, whole = statistics.median(plain), statistics.median(maps)
    print("| one plain prediction | a map | ratio | regions covered | slowest map |\n|---|---|---|---|---|")
    print(
        f"| {1_000 * one:.0f} ms | {whole:.2f} s | {whole / one:.0f} | {statistics.median(covers):.0f} | "
        f"{max(maps):.2f} s |",
        flush=True,
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _covers(classifier: Classifier, crops: list[np.ndarray]) -> None:
    if classifier.bundle.novelty_limit is None:
        print("This model measures no distance: covers cannot be compared.")
        return
    print("| covered with | change of the distance, mean over cells of the median |\n|---|---|")
    for name, fill in FILLS.items():
        shown = [occlusion.explain(classifier.predict_each, crop, fill).distances for crop in crops]
        print(f"| {name} | {np.mean([after - before for before, after in shown]):+.3f} |", flush=True)


def _cytoplasm(crop: np.ndarray, cell: np.ndarray) -> np.ndarray:
    outside = cell & ~morphology.nucleus(crop)
    return np.median(crop[outside if outside.any() else cell], axis=0)


def _blurred(crop: np.ndarray, cell: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    weight = cell.astype(np.float32)
    near = np.maximum(ndimage.gaussian_filter(weight, 12), 1e-6)
    parts = [ndimage.gaussian_filter(crop[..., one] * weight, 12) / near for one in range(3)]
    return np.stack(parts, axis=-1)


FILLS: dict[str, occlusion.Fill] = {
    "the cell's mean colour (in use)": occlusion.mean_colour,
    "its own picture, blurred by 12 pixels": _blurred,
    "the median colour outside its nucleus": _cytoplasm,
    "black": lambda _crop, _cell: np.zeros(3),
}


def _weight(classifier: Classifier, cells: pd.DataFrame, crops: list[np.ndarray]) -> None:
    rows = []
    for crop, label, patient in zip(crops, cells["label"], cells["patient_group"], strict=True):
        inside = morphology.nucleus(crop)
        shown = occlusion.explain(classifier.predict_each, crop)
        area = float(inside.sum() / foreground(crop).sum())
        rows.append(
            {
                "label": label,
                "patient": patient,
                "area": area,
                **occlusion.share_within(shown.values, inside),
            }
        )
    table = pd.DataFrame(rows)
    print("| cells | weight in the nucleus, absolute | of what speaks for ALL | nucleus' share of the area |")
    print("|---|---|---|---|")
    for label, own in table.groupby("label", sort=False):
        mean = own.groupby("patient")[["absolute", "positive", "area"]].mean().mean()
        named = f"{len(own)} {label} of {own['patient'].nunique()} patients"
        print(
            f"| {named} | {mean['absolute']:.1%} | {mean['positive']:.1%} | {mean['area']:.1%} |", flush=True
        )


def _neighbours(bundle: Bundle, data: Path, cells: pd.DataFrame) -> None:
    found = features.cached(bundle, data, cells)
    if found is None:
        print("The features of this set were not read: neighbours cannot be compared.")
        return
    known = cells[["image_id", "label", "patient_group"]].drop_duplicates("image_id")
    table = found.cells.reset_index().merge(known, on="image_id")
    table = table[table["label"].isin((ALL, NORMAL))].reset_index(drop=True)
    values = found.values[table["index"].to_numpy()].astype(np.float64)
    truth, patient = (table["label"] == ALL).to_numpy(), table["patient_group"].to_numpy()
    asked = np.random.default_rng(0).permutation(len(table))[:ASKED]
    spread = novelty.fit(values)
    along = values @ spread.axes
    squares = {
        "in use": _squares(values / np.maximum(values.std(axis=0), 1e-9), asked),
        "novelty": (_squares(values, asked) - _squares(along, asked)) / spread.rest
        + _squares(along / np.sqrt(spread.along), asked),
    }
    print("| distance | AUROC of the share of ALL among the nearest | nearest is of the same patient |")
    print("|---|---|---|")
    for name, square in squares.items():
        square[np.arange(len(asked)), asked] = np.inf
        own = patient[square.argmin(axis=1)] == patient[asked]
        square[patient[asked, None] == patient] = np.inf
        share = truth[np.argsort(square, axis=1)[:, :NEAREST]].mean(axis=1)
        print(f"| {name} | {roc_auc_score(truth[asked], share):.3f} | {own.mean():.0%} |", flush=True)


def _squares(values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Squared distances of some rows to all: shape (asked, n)."""
    length = (values**2).sum(axis=1)
    return length[asked, None] + length - 2 * values[asked] @ values.T


if __name__ == "__main__":
    main()
