"""Many images answered by workers on Ray, a core each; what is finished is kept, so that a run can go on.

A worker answers its images as :class:`Classifier` does everywhere, so the answers are those of one process.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import ClusterError
from leukemia.imaging.scale import Scale
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.inference.inputs.image import Image
from leukemia.scale import cluster, team
from leukemia.scale.parts import Parts

# Images of a batch: what a lost worker costs, and few enough that no core waits for long at the end.
BATCH = 64
LOST = "The program ended each time that it read this image. It was left out."
OTHER_MODEL = "{} is not the same model bundle on each machine of the cluster."
# What is kept of an answer; all that a cell's own picture has when no thumbnail is asked for.
KEPT = pa.schema(
    [
        ("name", pa.string()),
        ("probability", pa.float64()),
        ("error", pa.string()),
        ("image_id", pa.string()),
        ("area", pa.int64()),
        ("distance", pa.float64()),
        ("note", pa.string()),
        ("scale_unknown", pa.bool_()),
        ("not_cut_out", pa.bool_()),
        ("lossy", pa.bool_()),
        ("at", pa.string()),
    ]
)
# Called with how many of how many are done, and what is being done.
Progress = Callable[[int, int, str], None]


class ImageWorker:
    """What runs on each core: one model, in a process of its own.

    Parameters
    ----------
    folder : Path
        The bundle, at the same place on each machine.
    digest : str
        Of the bundle that was meant.
    scale : Scale or None
        As stated for all images.
    """

    def __init__(self, folder: Path, digest: str, scale: Scale | None) -> None:
        self._folder, self._digest, self._scale = folder, digest, scale

    def prepare(self) -> None:
        """Load the model; raises :class:`LeukemiaError` where it is not here, or another one."""
        bundle = bundles.read(self._folder)
        if bundle.digest != self._digest:
            raise ClusterError(OTHER_MODEL.format(self._folder))
        self._classifier = Classifier(bundle, one_core=True)

    def answer(self, images: list[Image]) -> list[Answer]:
        """Answer images, in order."""
        sources = (Source(image.name, image.load, self._scale) for image in images)
        return list(self._classifier.classify(sources))


def classify(
    bundle: Bundle,
    images: Sequence[Image],
    scale: Scale | None,
    output: Path,
    *,
    address: str,
    cores: int,
    progress: Progress,
) -> Iterator[Answer]:
    """Answer images on Ray: all of them, then one after another in their order.

    Parameters
    ----------
    bundle : Bundle
    images : sequence of Image
    scale : Scale or None
        As stated for all images.
    output : Path
        The table that is made of the answers: finished batches are kept beside it until all were taken.
    address : str
        ``HOST:PORT`` of a cluster; empty for one of our own on this machine.
    cores : int
        Of this machine, for one of our own.
    progress : callable
        Called as batches are done.

    Yields
    ------
    Answer
        One for each image.

    Raises
    ------
    LeukemiaError
        Where Ray or the cluster is not there, or the same run is at work elsewhere.
    """
    with Parts.kept(output, decided_by(bundle, images, scale), KEPT) as parts:
        starts = range(0, len(images), BATCH)
        batches = {number: images[start : start + BATCH] for number, start in enumerate(starts)}
        missing = [number for number, batch in batches.items() if not parts.has(number, len(batch))]
        if missing:
            done = len(images) - sum(len(batches[number]) for number in missing)
            progress(done, len(images), "Classifying")
            given = bundle.folder.resolve(), bundle.digest, scale
            with cluster.opened(address, cores) as workers:
                answered = team.work(
                    ImageWorker,
                    given,
                    ((number, list(batches[number])) for number in missing),
                    min(workers, len(missing)),
                    lambda image: Answer(image.name, error=LOST),
                )
                for number, answers in answered:
                    parts.write(number, [_row(answer) for answer in answers])
                    done += len(answers)
                    progress(done, len(images), "Classifying")
        for number in batches:
            yield from (Answer(**row) for row in parts.read(number))


def decided_by(bundle: Bundle, images: Sequence[Image], scale: Scale | None) -> str:
    """Name of what decides the answers: the model, the images in their order, the scale; 16 hex digits."""
    digest = hashlib.sha256(f"{bundle.digest} {scale!r} {BATCH} {KEPT.names}".encode())
    for image in images:
        digest.update(f"{image.name}\0{image.stamp}\0".encode())
    return digest.hexdigest()[:16]


def _row(answer: Answer) -> dict[str, object]:
    return {name: value for name, value in asdict(answer).items() if name in KEPT.names}
