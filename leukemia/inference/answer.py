"""One image to answer, and what the model says of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from leukemia.imaging import reader
from leukemia.imaging.scale import Scale
from leukemia.imaging.stain import StainMatch
from leukemia.segmentation.place import Place
from leukemia.storage import files


def now() -> str:
    """The moment, as answers note it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Source:
    """One image to answer: what it is called and how to get its bytes.

    Its scale is the one given, or what its file or its frame's size says.
    """

    name: str
    load: Callable[[], bytes]
    scale: Scale | None = None

    @classmethod
    def file(cls, path: Path, name: str | None = None, scale: Scale | None = None) -> "Source":
        """Take an image from a file, read when its turn comes."""
        return cls(name or files.shown(path), lambda: reader.read(path), scale=scale)


@dataclass(frozen=True)
class Answer:
    """What the model says of one image; ``probability`` is None where ``error`` says why.

    Attributes
    ----------
    name : str
        As the source was called: untrusted text.
    probability : float or None
        Probability of ALL, 0 to 1.
    error : str
        Empty, or why there is no probability, in a clinician's words.
    image_id : str
        SHA-256 of the pixels; empty where they could not be decoded.
    area : int
        Cell area in pixels at the model's scale.
    thumbnail : bytes
        JPEG of the crop; empty where none was asked for.
    picture : bytes
        PNG of a square about the cell at the model's scale, the crop in its middle; empty where none was
        asked for.
    distance : float or None
        How far it is from the cells that the model learned, also of one that is refused for it; None
        where it could not be decoded.
    note : str
        What a reader must know of the picture: how its scale is known, what its compression took away.
    scale_unknown : bool
        Whether it would be answered if its scale were stated.
    not_cut_out : bool
        Whether it is no cell cut out on black: see :mod:`leukemia.inference.search`.
    place : Place or None
        Where it lies in its field; None for a picture of its own.
    lossy : bool
        Whether the file was compressed with loss: ``image_id`` is then not that of the original.
    stain : StainMatch or None
        How its colours were matched before it was answered; None where it was answered as it is.
    at : str
        When it was answered: ISO 8601, UTC.
    """

    name: str
    probability: float | None = None
    error: str = ""
    image_id: str = ""
    area: int = 0
    thumbnail: bytes = b""
    picture: bytes = b""
    distance: float | None = None
    note: str = ""
    scale_unknown: bool = False
    not_cut_out: bool = False
    place: Place | None = None
    lossy: bool = False
    stain: StainMatch | None = None
    at: str = field(default_factory=now, compare=False)
