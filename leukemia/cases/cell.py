"""A cell of a case: the model's answer, the readers' verdicts, and what of them a reader may see."""

from dataclasses import dataclass, replace

from leukemia.cases.case import SETTLED, UNDECIDED, UNREAD, Case
from leukemia.imaging.stain import StainMatch
from leukemia.inference import decisions
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation.place import Place


@dataclass(frozen=True)
class Reading:
    """One reader's verdict on a cell.

    Attributes
    ----------
    number : int
        Of its entry in the trail; where one given after it was taken back, still its own.
    cell : int
        The cell's number in its case.
    reader : str
        Untrusted text.
    verdict : str
        One of :data:`leukemia.cases.verdicts.VERDICTS`.
    reason : str
        Untrusted text; a rejection has one.
    at : str
        ISO 8601, UTC.
    """

    number: int
    cell: int
    reader: str
    verdict: str
    reason: str
    at: str


@dataclass(frozen=True)
class Settlement:
    """The verdict in which a disagreement ended: by whom (``who``), why (``reason``) and when (``at``)."""

    number: int
    cell: int
    verdict: str
    who: str
    reason: str
    at: str


@dataclass(frozen=True)
class Cell:
    """A cell of a case.

    Attributes
    ----------
    case_id, number : int
        The case; and which of its cells, from 1, as they came.
    image_id : str
        SHA-256 of the pixels; empty where the file could not be read: then there is no picture.
    name : str
        Of the file, untrusted text; empty unless the case keeps names.
    drawn : bool
        Whether it is a drawing.
    model : str
        Name of the model that answered; ``version`` its number in the registry or None, ``record_sha256`` the
        SHA-256 of its ``bundle.json``.
    threshold, low, high : float
        The threshold and the limits by which it was called.
    probability : float or None
        Of ALL, 0 to 1; None where ``error`` says why, and where ``hidden``.
    decision : str
        ALL-like, Normal-like, Indeterminate or Not classified; empty where ``hidden``.
    error : str
        Why it was set apart, in a clinician's words.
    distance : float or None
        How far it is from the cells that the model learned.
    area : int
        Pixels at the model's scale.
    note : str
        What a reader must know of the picture.
    input_size : int
        Pixels a side of the crop that the model read.
    pixel_size : float
        Micrometres per pixel of its picture and crop.
    answered_at : str
    status : str
        ``unread``, ``read``, ``disputed`` or ``settled``.
    verdict : str
        On which all readers agree, or in which their disagreement was settled; else empty.
    lossy : bool or None
        Whether its file was compressed with loss; None where that was not kept.
    field : int
        Number of the field of the case that it was found in; 0 for a picture of its own.
    place : Place or None
        Where in that field it lies.
    stain : StainMatch or None
        What was done to its colours before it was answered; None where it was answered as it is.
    readings : tuple of Reading
        Each reader's verdict that counts, in the order given.
    settlement : Settlement or None
        The last one.
    hidden : bool
        Whether the model's answer is kept back until the reader has given her verdict.
    others_hidden : bool
        Whether other readers' verdicts are kept back until then; ``status`` and ``verdict`` are then the
        reader's own.
    """

    case_id: int
    number: int
    image_id: str
    name: str
    drawn: bool
    model: str
    version: int | None
    record_sha256: str
    threshold: float
    low: float
    high: float
    probability: float | None
    decision: str
    error: str
    distance: float | None
    area: int
    note: str
    input_size: int
    pixel_size: float
    answered_at: str
    status: str
    verdict: str
    lossy: bool | None = None
    field: int = 0
    place: Place | None = None
    stain: StainMatch | None = None
    readings: tuple[Reading, ...] = ()
    settlement: Settlement | None = None
    hidden: bool = False
    others_hidden: bool = False

    @property
    def point(self) -> OperatingPoint:
        """The limits by which it was called."""
        return OperatingPoint(self.low, self.high, self.threshold)

    @property
    def called(self) -> str:
        """The model's decision as readers are told it: Not comparable where a cell of a field is."""
        if decisions.is_not_comparable(self.probability, self.distance, self.place):
            return decisions.NOT_COMPARABLE
        return self.decision

    @property
    def final(self) -> str:
        """What it counts as: the readers' verdict, or else the model's decision; empty where disputed."""
        return self.verdict or ("" if self.status == "disputed" else self.called)

    @property
    def needs_verdict(self) -> bool:
        """Whether the case cannot be signed before it has a verdict (or its readers agree)."""
        unread = self.status == UNREAD and (self.hidden or self.decision in UNDECIDED)
        return unread or self.status == "disputed"

    @property
    def decided(self) -> Settlement | None:
        """The settlement, as long as it holds."""
        return self.settlement if self.status == SETTLED else None

    def by(self, reader: str) -> Reading | None:
        """The verdict of one reader that counts, or None."""
        return next((one for one in self.readings if one.reader == reader), None)


def as_seen(cell: Cell, case: Case, reader: str) -> Cell:
    """Keep back from a reader what the case says she is not to see before her own verdict."""
    own = cell.by(reader)
    if own or case.is_signed:
        return cell
    if case.blind and (cell.readings or cell.settlement):
        cell = replace(cell, status=UNREAD, verdict="", readings=(), settlement=None, others_hidden=True)
    if case.hide_model:
        blank = {"probability": None, "decision": "", "error": "", "distance": None, "stain": None}
        cell = replace(cell, hidden=True, **blank)
    return cell
