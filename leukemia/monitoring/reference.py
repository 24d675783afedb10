"""What recent cases are held against: the patients of the model's record, unseen by its networks."""

from dataclasses import dataclass
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import held_out
from leukemia.monitoring import colours, control, measures
from leukemia.monitoring.control import Baseline
from leukemia.monitoring.measures import COLOURS
from leukemia.operating_point import OperatingPoint


@dataclass(frozen=True)
class Reference:
    """The record of a model, measured as cases are.

    Attributes
    ----------
    baselines : dict of str to Baseline
        By measure; one that the record does not tell is left out.
    """

    baselines: dict[str, Baseline]

    def nearest_source(self, now: dict[str, float]) -> str | None:
        """The source that recent cases are most like by size, colour and sharpness.

        Each difference of two means counts in standard deviations between patients.

        Parameters
        ----------
        now : dict of str to float
            Mean of recent cases by measure.

        Returns
        -------
        str or None
            None where the record has fewer than two sources with enough patients.
        """
        apart: dict[str, list[float]] = {}
        for name, baseline in self.baselines.items():
            spread = baseline.sources.between**0.5
            if name not in now or name not in ("cell_area", *COLOURS) or not spread:
                continue
            for source, mean in baseline.by_source.items():
                apart.setdefault(source, []).append(((now[name] - mean) / spread) ** 2)
        return min(apart, key=lambda source: sum(apart[source])) if len(apart) > 1 else None


def of(bundle: Bundle, point: OperatingPoint, data: Path) -> Reference:
    """Measure the patients of a model's record.

    Parameters
    ----------
    bundle : Bundle
        The model, with its held-out predictions.
    point : OperatingPoint
        By which the cells of the cases are called.
    data : Path
        The data folder, for what is known there of these cells.
    """
    # The brightness that a prepared folder knows is another one: the mean luma.
    cells = held_out.facts(data, bundle.predictions).drop(columns=list(COLOURS), errors="ignore")
    cells = cells.assign(source=cells["source"].fillna("unknown"))
    if "distance" not in cells or bundle.novelty_limit is None:
        cells["distance"] = float("nan")
    else:
        # What is too far is not classified: of a case's cells, too.
        cells["probability"] = cells["probability"].where(~(cells["distance"] > bundle.novelty_limit))
    cells = cells.join(colours.of(data, cells["image_id"]))
    keys = [cells[name] for name in ("patient_group", "source", "label")]
    patients = measures.of_patients(measures.of_cells(cells, point), keys)
    found = {name: control.baseline(table) for name, table in patients.items()}
    if not point.abstains:
        found["indeterminate"] = None
    if bundle.novelty_limit is None:
        found["unclassified"] = None
    return Reference({name: baseline for name, baseline in found.items() if baseline})
