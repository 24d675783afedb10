"""What page and command line say of a monitoring report: the conclusion, what to do, the table, the CSV."""

from dataclasses import dataclass

from leukemia.counting import counted
from leukemia.evaluation import formatting
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring import control
from leukemia.monitoring.control import State
from leukemia.monitoring.measures import COLOURS, DECISIONS, MEASURES
from leukemia.monitoring.readers import Readers
from leukemia.monitoring.recent import Cells
from leukemia.monitoring.watch import AGREEMENT, MISSED, Line, Report
from leukemia.reports import case_wording

NO_RECORD = (
    "The record of the model that answered these cases is no longer available: there is nothing to compare "
    "them with."
)
NO_COLOURS = (
    "The colours of the model's own cells are not on record. Where its training set is at hand, the command "
    "python -m leukemia monitor --measure adds them."
)
ALL_RIGHT = "Recent cases are like the patients on whom the model was evaluated. Nothing needs to be done."
READ_ALL = "Until the cause is found, read every cell of each case yourself, also those called Normal-like."
OTHER_PATIENTS = (
    "Other patients can explain this, for example fewer with ALL than in the model's record. If your "
    "patients have not changed, let a reader review some of the latest cases with the model's answer hidden."
)
_COLOURS = "Check the stain, and the lamp and white balance of the microscope or scanner."
TO_DO = {
    "cell_area": "Check the magnification and the micrometres per pixel that were stated.",
    "hue": _COLOURS,
    "saturation": _COLOURS,
    "brightness": _COLOURS,
    "sharpness": "Check the focus, and how the images are compressed.",
    "distance": "Check the stain, the scanner and how the cells are cut out.",
    "unclassified": "Open some of the cells that have no answer: each says why.",
    MISSED: "Do not rely on Normal-like. Check the model on your own patients under Performance, Verify.",
    AGREEMENT: "Compare the readers' verdicts with the model's answers in the latest signed cases.",
}
_DECISIONS = (
    "Let a reader review the latest cases with the model's answer hidden, and check the model on your own "
    "patients under Performance, Verify."
)
TITLES = {name: measure.title for name, measure in MEASURES.items()} | {
    MISSED: "Called Normal-like, signed as ALL-like",
    AGREEMENT: "Agreement of readers with the model",
}


@dataclass(frozen=True)
class Conclusion:
    """What a report comes to: the state, what was found, and what to do about it, each a sentence or more."""

    state: State
    found: tuple[str, ...]
    to_do: tuple[str, ...]

    @property
    def headline(self) -> str:
        """State and findings in one line of plain text."""
        return " ".join((f"{self.state}.", *self.found))


def conclusion(report: Report) -> Conclusion:
    """Say what a report comes to; plain text."""
    state, said = report.state, sentences(report)
    if not report.has_record:
        return Conclusion(State.UNKNOWN, (NO_RECORD,), ())
    if state == State.OK:
        return Conclusion(state, (ALL_RIGHT,), ())
    if state in (State.TOO_FEW, State.UNKNOWN):
        few = (
            f"{counted(len(report.cases.numbers), 'case')} so far; at least {control.LEAST_CASES} are needed."
        )
        lacking = "The model's record has too few patients to compare with."
        return Conclusion(state, (few if state == State.TOO_FEW else lacking,), ())
    worst = [name for name, own in report.states.items() if own == state]
    found = tuple(said[name] for name in worst)
    advice = dict.fromkeys(TO_DO.get(name, _DECISIONS) for name in worst)
    if state == State.WATCH and all(name in MEASURES and MEASURES[name].about == DECISIONS for name in worst):
        advice = {OTHER_PATIENTS: None}
    return Conclusion(state, found, (*advice, *([READ_ALL] if state == State.STOP else ())))


def sentences(report: Report) -> dict[str, str]:
    """What is to be said of each measure that is one to watch or to stop; plain text."""
    out = {name: _sentence(name, line) for name, line in report.lines.items() if _is_bad(line.state)}
    readers = report.readers
    if _is_bad(readers.missed_state):
        out[MISSED] = (
            f"{formatting.interval(readers.missed, True)} of the cells signed as ALL-like were called "
            f"Normal-like by the model, in {counted(readers.missed_cases, 'case')}; its limits are to keep "
            f"this at {readers.promised:.0%} or below."
        )
    if _is_bad(readers.agreement_state):
        now, before = readers.blocks[-1].with_model, readers.before
        out[AGREEMENT] = (
            f"Readers agree less with the model than before: kappa {formatting.interval(now.kappa)}, before "
            f"{formatting.interval(before.kappa)}."
        )
    return out


def nearest(report: Report, figures: dict[str, Estimate] | None) -> str:
    """Which source of the record recent cases are most like, and how the model fared there; plain text.

    Parameters
    ----------
    report : Report
    figures : dict of str to Estimate or None
        Sensitivity and specificity in that source; None where they are not on record.
    """
    if not report.source:
        return ""
    said = f"By size, colour and sharpness, recent cases are most like the model's source {report.source}."
    if not figures:
        return said
    shown = " and ".join(f"a {name} of {formatting.interval(figures[name])}" for name in figures)
    return f"{said} There the model had {shown} (patients weighted equally)."


def left_out(report: Report, found: Cells) -> str:
    """What is not counted, and why; plain text, empty where all is."""
    parts = []
    if found.hidden:
        cases = counted(found.hidden, "open case that hides", "open cases that hide")
        parts.append(f"{cases} the model's answer (until signed)")
    if report.cases.learned:
        parts.append(f"{counted(report.cases.learned, 'cell')} that the model learned from")
    if found.drawn:
        parts.append(counted(found.drawn, "drawn cell"))
    if found.unreadable:
        parts.append(f"{counted(found.unreadable, 'file')} that could not be read")
    if report.cases.without_colours:
        cases = counted(report.cases.without_colours, "case")
        parts.append(f"the colours of {cases} from before they were measured")
    return f"Not counted: {'; '.join(parts)}." if parts else ""


def to_measure(report: Report) -> str:
    """What can be done so that colours are compared; plain text, empty where they are."""
    lacking = any(name in report.lines and not report.lines[name].baseline for name in COLOURS)
    return NO_COLOURS if lacking and report.has_record else ""


def agreement(readers: Readers) -> list[str]:
    """What is to be said of the agreement of readers; plain text."""
    if not readers.signed:
        return []
    lines = []
    for found, who in (
        (readers.with_model, "Readers and the model, on cells that it called ALL-like or Normal-like"),
        (readers.between, "Two readers"),
    ):
        if found is None:
            continue
        lines.append(
            f"{who}: the same on {found.same:,} of {counted(found.cells, 'verdict')} in "
            f"{counted(found.cases, 'signed case')}; {case_wording.kappa(found)}."
        )
    if readers.missed_cases:
        cases = readers.missed_cases
        weighed = "of 1 case" if cases == 1 else f"each of {cases:,} cases weighing the same"
        lines.append(
            f"Of the cells signed as ALL-like, the model had called "
            f"{formatting.interval(readers.missed, True)} Normal-like ({weighed})."
        )
    return [*lines, _hidden_until_read(readers.unseen, readers.signed)]


def _hidden_until_read(unseen: int, signed: int) -> str:
    """In how many signed cases the readers did not know the model's answer."""
    if not unseen:
        return (
            f"The model's answer was not hidden in the {'' if signed == 1 else f'{signed:,} '}signed "
            f"{'case' if signed == 1 else 'cases'}: it may have guided the readers."
        )
    if unseen == signed:
        cases = "the signed case" if signed == 1 else f"all {signed:,} signed cases"
        return f"The model's answer was hidden until the verdict in {cases}."
    others = "other" if signed - unseen == 1 else "others"
    return (
        f"The model's answer was hidden until the verdict in {unseen:,} of {signed:,} signed cases. In the "
        f"{others} it may have guided the readers."
    )


def _is_bad(state: State) -> bool:
    return state in (State.STOP, State.WATCH)


def _sentence(name: str, line: Line) -> str:
    measure, track = MEASURES[name], line.track
    limits = track.stop if line.state == State.STOP else track.watch
    side = track.direction(limits)
    if not side:
        latest = int(track.odd[track.measured][-control.LATEST :].sum())
        return (
            f"{measure.title}: {latest} of the latest {control.LATEST} cases lie outside the limits of a "
            f"case."
        )
    word, end = ("higher", limits[1]) if side > 0 else ("lower", limits[0])
    return (
        f"{measure.title}: {word} than in the model's patients (weighted mean "
        f"{measure.shown(track.ewma[-1])}, limit {measure.shown(float(end[-1]))}, mean of the model's "
        f"patients {measure.shown(line.baseline.mean)})."
    )
