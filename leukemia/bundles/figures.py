"""What a record states of its held-out predictions: computed in one place, and again from the file."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from leukemia.bundles import breakdown
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError, DatasetError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.breakdown import sources, subgroups
from leukemia.evaluation.estimate import Estimate, rounded
from leukemia.operating_point import OperatingPoint

if TYPE_CHECKING:
    import pandas as pd

# Half a unit of the last digit that is shown anywhere. A record rounds its own to six digits.
AGREEMENT = 0.0005
# Names of the record's fields that are not those of its file.
IN_THE_FILE = {"estimates": "figures", "patient_estimates": "patient_figures"}


def of(predictions: "pd.DataFrame", point: OperatingPoint) -> dict[str, Any]:
    """Fields of a record that follow from its held-out predictions and its operating point.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns of :data:`leukemia.bundles.predictions.COLUMNS`, and ``source`` where it is known.
    point : OperatingPoint

    Returns
    -------
    dict
        ``estimates``, ``patient_estimates``, ``three_way``, ``confusion``, and ``by_source`` where sources
        are known, as :class:`leukemia.bundles.schema.Training` takes them.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """
    return {
        "estimates": rounded(estimates.of(predictions, point.threshold)),
        "patient_estimates": rounded(estimates.of_patients(predictions, point.threshold)),
        **breakdown.three_way(predictions, point),
        **breakdown.by_source(sources.evaluate(predictions, point)),
        "confusion": metrics.confusion(predictions, point.threshold),
    }


def check(bundle: Bundle) -> None:
    """Compute a bundle's figures again from its held-out predictions.

    Each figure's value is compared. Its interval is not: that depends on the random draws of the version of
    NumPy that it was computed with. A figure that the record does not have, as older ones do not, is not
    asked for; what the predictions do not hold (calibration by fold, changed pictures) is not checked.

    Raises
    ------
    BundleError
        Where a figure differs from what the predictions give, or they do not give it.
    """
    predictions, record, point = bundle.predictions, bundle.record, bundle.operating_point
    try:
        found = of(predictions, point)
        found |= breakdown.unseen_sources(sources.evaluate_unseen(predictions, point))
        if record.subgroups and {"cell_area", "source"} <= set(predictions):
            found["subgroups"] = subgroups.estimate(predictions, point.threshold)
    except DatasetError as error:
        raise BundleError(
            f"{bundle.name} cannot be registered: its held-out predictions do not give the figures that it "
            f"states. {error}"
        ) from error
    for name, field in found.items():
        stated, computed = dict(_values(getattr(record, name))), dict(_values(field))
        for place, value in stated.items():
            again = computed.get(place)
            # Of a figure that is not known here, or was not defined, there is nothing to compare.
            if again is None or math.isnan(value) or abs(value - again) <= AGREEMENT:
                continue
            raise BundleError(
                f"{bundle.name} cannot be registered: it states {value:.6g} for "
                f"{' '.join((IN_THE_FILE.get(name, name), *place))}, and its held-out predictions give "
                f"{'none' if math.isnan(again) else f'{again:.6g}'}."
            )


def _values(field: object, *place: str) -> Iterator[tuple[tuple[str, ...], float]]:
    """Each number of a field of a record by its place; none of a field that it does not have."""
    if isinstance(field, Estimate):
        yield place, field.value
    elif isinstance(field, int | float):
        yield place, field
    else:
        for name, one in dict(field or {}).items():
            yield from _values(one, *place, IN_THE_FILE.get(name, name))
