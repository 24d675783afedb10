"""A bundle and images to answers, in the order the images came.

One image alone has all cores for its network. Of several, each is decoded and answered by one thread, with
a core of its own and nothing to wait for. All sessions share the threads, and take turns; what is decoded at
a time fits into :data:`leukemia.settings.DECODING_BYTES`, however many people and files there are.
"""

import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import openvino
from PIL import Image

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine
from leukemia.errors import BundleError, ImageError
from leukemia.imaging import appearance, memory, validate
from leukemia.imaging.cell import crop_cell
from leukemia.imaging.loss import Loss
from leukemia.imaging.scale import ScaleUnknownError
from leukemia.inference.answer import Answer, Source, now

# Images taken in for each thread: one that it answers, the others ready when it is done.
AHEAD = 3
# Probabilities are rounded to this many digits: below them, one core and several may differ.
DIGITS = 6
# Of a picture that is kept: the next levels take twice the time for a few per cent less.
PACKING = 3
# From crops (n, size, size, 3) to probabilities and distances, (n,) each.
Predict = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
NOVEL = "Unlike the cells the model was trained on: {}. The model gives no answer."
NO_NUMBER = "The model gives no valid probability for this image."
ANY_REASON = "a different stain, magnification or kind of cell, or not one sharp cell"


@dataclass(frozen=True)
class _Decoded:
    answer: Answer
    crop: np.ndarray | None = None
    loss: Loss | None = None


class Classifier:
    """One loaded model. Safe to share between threads.

    Parameters
    ----------
    bundle : Bundle
    one_core : bool, optional
        Whether it keeps to one core and one thread: as one of several processes, each with a core.
    """

    def __init__(self, bundle: bundles.Bundle, *, one_core: bool = False) -> None:
        self.bundle = bundle
        self._one_core = one_core
        self._lock = threading.Lock()
        self._alone = self._compile("LATENCY")
        self._requests: SimpleQueue[openvino.InferRequest] | None = None

    @classmethod
    def load(cls, folder: Path) -> "Classifier":
        """Load the bundle in ``folder``; raises :class:`BundleError` as :func:`bundle.read` does."""
        return cls(bundles.read(folder))

    def predict(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probability of ALL for crops, and how far each is from the cells that the model learned.

        Parameters
        ----------
        crops : numpy.ndarray
            uint8 RGB, shape (n, size, size, 3), size being the bundle's ``input_size``.

        Returns
        -------
        tuple of numpy.ndarray
            float64, shape (n,) each: 0 to 1; and 0 or more, no unit, all 0 where the model measures
            no distance.
        """
        with self._lock:
            return _rounded(self._alone(crops))

    def predict_each(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """:meth:`predict` of many crops, each when its turn comes among those of all sessions."""
        predict = partial(_predict_one, self._free_requests())
        answers = list(_pool(settings.load().workers).map(predict, (crop[None] for crop in crops)))
        probability, distance = (np.concatenate(part) for part in zip(*answers, strict=True))
        return probability, distance

    def classify(
        self, sources: Iterable[Source], *, thumbnail: int = 0, picture: int = 0
    ) -> Iterator[Answer]:
        """Answer images one after another, in order; stop by dropping the iterator.

        Parameters
        ----------
        sources : iterable of Source
            The images; consumed as needed, so it may be long.
        thumbnail : int, optional
            Side in pixels of a JPEG to go with each answer; 0 for none.
        picture : int, optional
            Side in pixels of a lossless PNG to go with each answer, at least that of the crop; 0 for none.

        Yields
        ------
        Answer
            One for each source. A bad image is an answer with ``error``, never an exception.
        """
        sources = iter(sources)
        first = list(islice(sources, 2))
        if len(first) < 2 or self._one_core:
            alone = chain(first, sources)
            yield from (self._answer(source, (thumbnail, picture), self.predict) for source in alone)
            return
        predict = partial(_predict_one, self._free_requests())
        workers = settings.load().workers
        pool, ahead = _pool(workers), deque()

        def take_in(some: Iterable[Source]) -> None:
            sides = thumbnail, picture
            ahead.extend(pool.submit(self._answer, source, sides, predict) for source in some)

        take_in(first)
        try:
            while ahead:
                take_in(islice(sources, AHEAD * workers - len(ahead)))
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

    def answer_crop(self, answer: Answer, crop: np.ndarray) -> Answer:
        """Answer an image once more by other pixels of its crop, such as recoloured ones.

        Parameters
        ----------
        answer : Answer
            What is known of the image; its probability, error, distance and time are replaced.
        crop : numpy.ndarray
            uint8 RGB, shape (size, size, 3), size being the bundle's ``input_size``.
        """
        (probability,), (distance,) = self.predict_each(crop[None])
        blank = {"probability": None, "error": "", "distance": None}
        item = _Decoded(replace(answer, **blank, at=now()), crop)
        return self._decide(item, float(probability), float(distance))

    def _compile(self, hint: str) -> openvino.CompiledModel:
        options: dict[str, str | int | bool] = {"PERFORMANCE_HINT": hint}
        if self._one_core:
            # Which core is the system's choice: left to itself, each process would take the first one.
            options |= {"INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        try:
            network = engine.compiled(self.bundle.folder / bundles.ENGINE, **options)
        except RuntimeError as error:
            raise BundleError(engine.CANNOT.format(self.bundle.folder)) from error
        engine.check_fits(network, self.bundle)
        engine.prepare_arrays()
        return network

    def _free_requests(self) -> "SimpleQueue[openvino.InferRequest]":
        """Requests to the network that run side by side, as many as the machine is quickest with."""
        with self._lock:
            if self._requests is None:
                network, free = self._compile("THROUGHPUT"), SimpleQueue()
                for _ in range(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
                    free.put(network.create_infer_request())
                self._requests = free
            return self._requests

    def _answer(self, source: Source, sides: tuple[int, int], predict: Predict) -> Answer:
        item = self._decode(source, *sides)
        if item.crop is None:
            return item.answer
        (probability,), (distance,) = predict(item.crop[None])
        return self._decide(item, float(probability), float(distance))

    def _decode(self, source: Source, thumbnail: int, picture: int) -> _Decoded:
        try:
            data = source.load()
            with memory.room_for(data):
                cell = validate.open_cell(data, source.scale, self.bundle.pixel_size)
                crop = crop_cell(cell, self.bundle.input_size)
                told = {"image_id": cell.image_id, "area": cell.area, "note": cell.note}
                small = _thumbnail(crop, thumbnail) if thumbnail else b""
                large = _png(crop_cell(cell, picture)) if picture else b""
                lossy = cell.loss is not None
                answer = Answer(source.name, thumbnail=small, picture=large, lossy=lossy, **told)
                return _Decoded(answer, crop, cell.loss)
        except ImageError as error:
            answer = Answer(
                source.name,
                error=str(error),
                scale_unknown=isinstance(error, ScaleUnknownError),
                not_cut_out=isinstance(error, validate.NotCutOutError),
            )
            return _Decoded(answer)

    def _decide(self, item: _Decoded, probability: float, distance: float) -> Answer:
        if not (0 <= probability <= 1 and distance >= 0):  # also where either is not a number
            return replace(item.answer, error=NO_NUMBER)
        limit = self.bundle.novelty_limit
        if limit is not None and distance > limit:
            reasons = appearance.reasons(item.crop, item.answer.area, item.loss)
            return replace(
                item.answer, error=NOVEL.format("; ".join(reasons) or ANY_REASON), distance=distance
            )
        return replace(item.answer, probability=probability, distance=distance)


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """The threads that answer for all sessions of this process, each image when its turn comes.

    None of them waits for another: each decodes and asks the network itself.
    """
    return ThreadPoolExecutor(workers, thread_name_prefix="classify")


def _predict_one(
    free: "SimpleQueue[openvino.InferRequest]", crop: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """:meth:`Classifier.predict` of one crop (1, size, size, 3), beside others."""
    request = free.get()
    try:
        return _rounded(request.infer(crop, share_inputs=True))
    finally:
        free.put(request)


def _rounded(out: "openvino.utils.data_helpers.OVDict") -> tuple[np.ndarray, np.ndarray]:
    probability, *distance = (np.round(out[i][:, 0].astype(float), DIGITS) for i in range(len(out)))
    return probability, distance[0] if distance else np.zeros(len(probability))


def _thumbnail(crop: np.ndarray, side: int) -> bytes:
    small = Image.fromarray(crop)
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85)
    return out.getvalue()


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=PACKING)
    return out.getvalue()
