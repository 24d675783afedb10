"""What a record says of how a model answers: threshold and limits, band, novelty, what the network reads."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leukemia.bundles.fields import (
    Bound,
    Colour,
    ColourSpread,
    Count,
    Difference,
    Fields,
    Name,
    NotNegative,
    Number,
    Positive,
    Share,
    Text,
    refuse,
)
from leukemia.operating_point import OperatingPoint
from leukemia.settings import MAX_SIDE

MAX_PIXEL_SIZE = 100  # micrometres


class Limits(Fields):
    """Probabilities from ``low`` to below ``high`` between which a model abstains."""

    low: Share
    high: Share

    @classmethod
    def of(cls, point: OperatingPoint) -> Self:
        """The limits of an operating point."""
        return cls(low=point.low, high=point.high)


class Threshold(Fields):
    """Probability of ALL that splits cells in two, and how it was chosen.

    ``limits`` are those that a person chose with it; without them they follow from threshold and band.
    ``worst_source`` is the source for which it had to be so low that the recall is reached in each source,
    empty where all cells together asked for it; None where it was chosen on all cells alone.
    """

    value: Share
    target_recall: Share
    chosen_on: Text
    worst_source: Text | None = None
    limits: Limits | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        limits = self.limits
        apart = limits and not limits.low <= self.value <= limits.high
        refuse(bool(apart), "should have limits with its value between them")
        return self


class Calibration(Fields):
    """Logit to calibrated logit, as :class:`leukemia.evaluation.calibration.Calibration` applies it.

    The log loss is that of the worst source, by patient; in records without ``by_source``, of all cells.
    """

    method: Name
    stretch: Positive
    shift: Number
    log_loss_out_of_fold: dict[Name, NotNegative]


class OutOfFold(Fields):
    """What bands of the other folds did to the cells of each; shares, each patient weighing the same."""

    indeterminate: Share
    missed: Share
    alarmed: Share


# What a bound is worth in a source: the words of :mod:`leukemia.evaluation.conformal`.
Worth = Literal["guaranteed", "kept", "not kept", "too few patients"]
# One is typical of the cells learned: beyond this, a limit is none.
FARTHEST = 1_000


class Band(Fields):
    """Probabilities from ``low`` to below ``high`` are indeterminate, so that at most these shares err.

    ``promises`` says by source what the bounds ``missed`` and ``alarmed`` are worth there.
    """

    low: Share
    high: Share
    missed: Bound
    alarmed: Bound
    out_of_fold: OutOfFold | None = None
    promises: dict[Name, dict[Literal["missed", "alarmed"], Worth]] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        refuse(self.low > self.high, "should have a low end that is not above its high end")
        promises = (self.promises or {}).values()
        refuse(any(len(one) < 2 for one in promises), "should promise missed and alarmed for each source")
        return self


class Novelty(Fields):
    """Distance from the cells learned up to which a picture is answered, and the share that passes it."""

    limit: Annotated[NotNegative, Field(le=FARTHEST)]
    share: Share = Field(alias="pass")
    passed_out_of_fold: Share


class TrainingStain(Fields):
    """The colours of training cells, patients taking turns; see :class:`leukemia.imaging.stain.Stain`."""

    middle: Annotated[tuple[Colour, Colour, Colour], Field(strict=False)]
    spread: Annotated[tuple[ColourSpread, ColourSpread, ColourSpread], Field(strict=False)]
    cells: Annotated[Count, Field(ge=1)]


class Preprocessing(Fields):
    """What the network reads: side of the square crop in frame pixels; and its number of parameters.

    ``pixel_size`` is micrometres per frame pixel, above 0.
    """

    crop: Annotated[int, Field(ge=8, le=MAX_SIDE)]
    channels: Literal["RGB"]
    scale: Text
    pixel_size: Annotated[Positive, Field(le=MAX_PIXEL_SIZE)] | None = None
    parameters: Count


class Engine(Fields):
    """Precision in which the engine computes, and what int8 changes on the labelled cells.

    ``reason`` says why it is not int8; ``largest_change`` is of a probability, over ``judged_on`` cells.
    """

    precision: Literal["f32", "int8"]
    reason: Text = ""
    auroc_difference: Difference | None = None
    largest_change: Share | None = None
    calibrated_on: Count = 0
    judged_on: Count = 0

    @model_validator(mode="after")
    def _together(self) -> Self:
        judged = None not in (self.auroc_difference, self.largest_change)
        refuse(self.precision == "int8" and not judged, "should say what int8 changes")
        return self
