"""Many images answered by workers on Ray, a core each; what is finished is kept, so that a run can go on.

A worker answers its images as :class:`Classifier` does everywhere, so the answers are those of one process.
"""

import contextlib
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


class Run:
    """Images that are answered on Ray, and their answers, which are kept; made by :func:`kept`.

    Parameters
    ----------
    bundle, images, scale, address, cores, progress
        As for :func:`kept`.
    parts : Parts
        The finished batches.
    """

    def __init__(
        self,
        bundle: Bundle,
        images: Sequence[Image],
        scale: Scale | None,
        parts: Parts,
        *,
        address: str,
        cores: int,
        progress: Progress,
    ) -> None:
        self._bundle, self._scale, self._parts = bundle, scale, parts
        self._address, self._cores, self._progress = address, cores, progress
        self._total = len(images)
        starts = range(0, len(images), BATCH)
        self._batches = {number: images[start : start + BATCH] for number, start in enumerate(starts)}

    def answers(self) -> Iterator[Answer]:
        """Answer all images, then give one answer after another in their order; may be called again.

        Raises
        ------
        LeukemiaError
            Where Ray or the cluster is not there.
        """
        missing = [
            number for number, batch in self._batches.items() if not self._parts.has(number, len(batch))
        ]
        if missing:
            self._work(missing)
        for number in self._batches:
            yield from (Answer(**row) for row in self._parts.read(number))

    def key(self) -> str:
        """What tells this run, however often it is begun anew, from each other one of the same images."""
        return self._parts.key()

    def stay(self) -> None:
        """Keep what is finished after the end, too: something that is made of it is not there yet."""
        self._parts.stay = True

    def _work(self, missing: list[int]) -> None:
        done = self._total - sum(len(self._batches[number]) for number in missing)
        self._progress(done, self._total, "Classifying")
        given = self._bundle.folder.resolve(), self._bundle.digest, self._scale
        with cluster.opened(self._address, self._cores) as workers:
            answered = team.work(
                ImageWorker,
                given,
                ((number, list(self._batches[number])) for number in missing),
                min(workers, len(missing)),
                lambda image: Answer(image.name, error=LOST),
            )
            for number, answers in answered:
                self._parts.write(number, [_row(answer) for answer in answers])
                done += len(answers)
                self._progress(done, self._total, "Classifying")


@contextlib.contextmanager
def kept(
    bundle: Bundle,
    images: Sequence[Image],
    scale: Scale | None,
    output: Path,
    *,
    address: str,
    cores: int,
    progress: Progress,
) -> Iterator[Run]:
    """Have images answered on Ray; what is finished is kept until the context ends without error.

    Parameters
    ----------
    bundle : Bundle
    images : sequence of Image
    scale : Scale or None
        As stated for all images.
    output : Path
        The table that is made of the answers: finished batches are kept beside it.
    address : str
        ``HOST:PORT`` of a cluster; empty for one of our own on this machine.
    cores : int
        Of this machine, for one of our own.
    progress : callable
        Called as batches are done.

    Yields
    ------
    Run

    Raises
    ------
    LeukemiaError
        Where the same run is at work elsewhere.
    """
    with Parts.kept(output, decided_by(bundle, images, scale), KEPT) as parts:
        yield Run(bundle, images, scale, parts, address=address, cores=cores, progress=progress)


def decided_by(bundle: Bundle, images: Sequence[Image], scale: Scale | None) -> str:
    """Name of what decides the answers: the model, the images in their order, the scale; 16 hex digits."""
    digest = hashlib.sha256(f"{bundle.digest} {scale!r} {BATCH} {KEPT.names}".encode())
    for image in images:
        digest.update(f"{image.name}\0{image.stamp}\0".encode())
    return digest.hexdigest()[:16]


def _row(answer: Answer) -> dict[str, object]:
    return {name: value for name, value in asdict(answer).items() if name in KEPT.names}
