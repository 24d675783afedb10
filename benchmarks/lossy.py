"""What saving a cell as JPEG does to its answer: the ALL cells of a prepared set, by quality and subsampling.

    python -m benchmarks.lossy [--data data] [--model BUNDLE] [--every 1] [--qualities 95 90 85 75]

The model may have learned from these cells: this tells how steady its answers are, not how good. How well it
ranks unseen cells under the same changes is in its record (``python -m leukemia evaluate``).
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia import settings
from leukemia.classes import is_all
from leukemia.dataset import manifest
from leukemia.imaging import reader
from leukemia.inference import decisions
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE

SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def main() -> None:
    """Print a row for each quality and subsampling."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--model", type=Path, default=settings.SHIPPED)
    parser.add_argument("--every", type=int, default=1, help="take every n-th ALL cell")
    parser.add_argument("--qualities", type=int, nargs="+", default=[95, 90, 85, 75])
    options = parser.parse_args()
    cells = manifest.read(options.data)
    paths = [options.data / path for path in cells.loc[is_all(cells["label"]), "path"][:: options.every]]
    classifier = Classifier.load(options.model)
    plain = list(classifier.classify(Source.file(path) for path in paths))
    print(f"{len(paths):,} ALL cells, {classifier.bundle.name}")
    print("| JPEG | ALL-like | of them Normal-like as JPEG | not answered | mean change of probability |")
    print("|---|---|---|---|---|")
    for quality in options.qualities:
        for name, subsampling in SUBSAMPLINGS.items():
            saved = list(classifier.classify(as_jpeg(paths, quality, subsampling)))
            found, lost, silent, change = compare(classifier, plain, saved)
            print(f"| {quality}, {name} | {found:,} | {lost:,} | {silent:,} | {change:.4f} |", flush=True)


def as_jpeg(paths: Sequence[Path], quality: int, subsampling: int) -> Iterator[Source]:
    """Images as JPEG files, encoded when their turn comes."""

    def load(path: Path) -> bytes:
        out = io.BytesIO()
        image = Image.fromarray(reader.decode(reader.read(path)))
        image.save(out, "JPEG", quality=quality, subsampling=subsampling)
        return out.getvalue()

    return (Source(path.name, lambda path=path: load(path)) for path in paths)


def compare(
    classifier: Classifier, plain: Sequence[Answer], saved: Sequence[Answer]
) -> tuple[int, int, int, float]:
    """Count the ALL-like cells, and those of them that became Normal-like outright or were not answered.

    Returns
    -------
    tuple
        These three, and the mean absolute change of probability over the cells answered both times.
    """
    bundle = classifier.bundle
    found = lost = silent = 0
    changes = []
    for before, after in zip(plain, saved, strict=True):
        if before.probability is None:
            continue
        was, now = (
            decisions.decision(answer.probability, bundle.operating_point) for answer in (before, after)
        )
        found += was == ALL_LIKE
        lost += was == ALL_LIKE and now == NORMAL_LIKE
        silent += was == ALL_LIKE and after.probability is None
        if after.probability is not None:
            changes.append(abs(after.probability - before.probability))
    return found, lost, silent, float(np.mean(changes))


if __name__ == "__main__":
    main()
