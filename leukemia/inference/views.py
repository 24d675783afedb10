"""Which answers of a batch are shown, and in what order."""

from collections.abc import Iterable

from leukemia.inference import decisions
from leukemia.inference.batch import Result
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint

EVERYTHING = "All cells"
NEAR = "Close to a limit"
VIEWS = (
    EVERYTHING,
    ALL_LIKE,
    INDETERMINATE,
    NORMAL_LIKE,
    NEAR,
    UNCLASSIFIED,
)


def views(point: OperatingPoint) -> tuple[str, ...]:
    """Those of :data:`VIEWS` that a model can have: one that always answers calls nothing indeterminate."""
    return tuple(view for view in VIEWS if point.abstains or view != INDETERMINATE)


def readable(results: Iterable[Result], point: OperatingPoint, view: str = EVERYTHING) -> list[Result]:
    """Results with a probability that a view shows, highest probability of ALL first.

    Parameters
    ----------
    results : iterable of Result
    point : OperatingPoint
    view : str, optional
        One of :data:`VIEWS`.
    """
    shown = [
        result
        for result in results
        if result.answer.probability is not None and _in_view(result.answer.probability, point, view)
    ]
    return sorted(shown, key=lambda result: (-result.answer.probability, result.answer.name))


def unreadable(results: Iterable[Result]) -> list[Result]:
    """Results without a probability, by name; the cells of a field by number."""
    without = [result for result in results if result.answer.probability is None]
    return sorted(without, key=_by_name)


def _by_name(result: Result) -> tuple[str, int]:
    place = result.answer.place
    return (place.field, place.number) if place else (result.answer.name, 0)


def _in_view(probability: float, point: OperatingPoint, view: str) -> bool:
    if view == NEAR:
        return decisions.is_near(probability, point)
    return view in (EVERYTHING, decisions.decision(probability, point))
