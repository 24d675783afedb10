"""A case as a report: what it holds, in one place for HTML and PDF, and the HTML."""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.cases import agreement, cells, summary
from leukemia.cases import case as cases
from leukemia.cases.case import DISPUTED, SETTLED, Case
from leukemia.cases.cells import Cell
from leukemia.cases.summary import Summary
from leukemia.cases.verdicts import VERDICTS
from leukemia.errors import DatasetError
from leukemia.evaluation import held_out, three_way
from leukemia.evaluation.breakdown import patients, source_words, sources
from leukemia.inference import learned
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE, OperatingPoint
from leukemia.reports import case_tables, case_wording, html
from leukemia.reports.html import Section

# Pictures that are shown: two rows on a page.
MOST_PICTURES = 12
Record = tuple[list[str], list[tuple[str, ...]], list[str]]  # sentences, rows by source, notes
Model = tuple[str, str, OperatingPoint]  # name, record, limits
NOTHING: Record = ([], [], [])
NO_READER = "No reader has given a verdict."
MATTERED = (
    "First the cells that the model called Normal-like and the readers ALL-like, then those the other way "
    "round, then disputed and settled cells, then all others on which verdict and answer differ, then "
    "indeterminate ones, then the highest probabilities."
)
HTML_STYLE = "display:inline-block;width:9.5rem;margin:0 .6rem .8rem 0;vertical-align:top;font-size:.8rem"


@dataclass(frozen=True)
class Content:
    """What a report of a case says.

    Attributes
    ----------
    case : Case
    cells : list of Cell
        In full.
    counts : Summary
    models : list of str
        The models that answered.
    place : str
        Where the share of ALL-like cells lies among the patients of the model's record, or why that is not
        told.
    untold : str
        Of how many cells it is not known whether the model learned from them; empty for none.
    agreement : list of str
        A sentence for each two readers.
    readers : list of tuple
        Each reader's name and the number of cells by verdict, in the order of ``VERDICTS``.
    record : list of str
        How the model did on patients it had not seen, the worst source named; or why that is not told.
    sources : list of tuple of str
        The same by source, under ``source_words.HEADER``; empty where no source is known.
    notes : list of str
        What is to be said below it.
    mattered : list of Cell
        At most :data:`MOST_PICTURES`.
    thumbnails : dict of int to bytes
        JPEG of these.
    """

    case: Case
    cells: list[Cell]
    counts: Summary
    models: list[str]
    place: str
    untold: str
    agreement: list[str]
    readers: list[tuple[str, ...]]
    record: list[str]
    sources: list[tuple[str, ...]]
    notes: list[str]
    mattered: list[Cell]
    thumbnails: dict[int, bytes]

    @property
    def heading(self) -> list[str]:
        """What stands below the title."""
        case = self.case
        return [
            f"Begun {case_wording.when(case.created_at)} by {case.created_by}; {len(self.cells):,} cells; "
            f"last changed {case_wording.when(case.changed_at)}.",
            f"Answered by {'; '.join(self.models)}." if self.models else case_wording.NONE_CLASSIFIED,
        ]


def gather(data: Path, case_id: int, bundle: Bundle | None) -> Content:
    """Read what a report of a case says.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    bundle : Bundle or None
        The model that answered, None where it is gone.

    Raises
    ------
    RecordsError
        Where the case is not there or cannot be read.
    """
    case, found = cases.find(data, case_id), cells.cells(data, case_id)
    answered = summary.models([cell for cell in found if cell.probability is not None])
    shown = mattered(found)
    placed = summary.placement(found, bundle)
    record = _record(data, bundle, answered)
    known = learned.of(bundle, data) if bundle else None
    seen = case_wording.learned(summary.learned_from(found, known), len(found)) if known else ""
    return Content(
        case,
        found,
        summary.summarise(found),
        [case_wording.model(one) for one in answered],
        seen or case_wording.place(placed, len(answered)),
        learned.untold(found, known) if known else "",
        [case_wording.agreement(one) for one in agreement.of_cells(found)],
        _readers(found),
        *record,
        shown,
        cells.thumbnails(data, case_id, [cell.number for cell in shown]),
    )


def mattered(found: Sequence[Cell], most: int = MOST_PICTURES) -> list[Cell]:
    """Choose the cells with a picture that a reader of the report must see; see :data:`MATTERED`."""

    def rank(cell: Cell) -> tuple:
        order = (
            # A missed blast weighs more than a false alarm.
            (cell.decision, cell.verdict) == (NORMAL_LIKE, ALL_LIKE),
            (cell.decision, cell.verdict) == (ALL_LIKE, NORMAL_LIKE),
            cell.status in (DISPUTED, SETTLED),
            bool(cell.verdict) and cell.verdict != cell.decision,
            cell.needs_verdict or (cell.low <= (cell.probability or 0) < cell.high),
        )
        return (*(not one for one in order), -(cell.probability or 0), cell.number)

    return sorted((cell for cell in found if cell.image_id), key=rank)[:most]


def caption(cell: Cell) -> list[str]:
    """What stands below a cell's picture: its number, the model's answer, what it counts as and why."""
    answer = cell.called
    if cell.probability is not None:
        answer = f"{answer} {cell.point.shown(cell.probability)}"
    lines = [f"Cell {cell.number}" + ", synthetic drawing" * cell.drawn, f"Model: {answer}"]
    lines += [f"{one.reader}: {one.verdict}" for one in cell.readings]
    if cell.settlement and cell.status == SETTLED:
        lines.append(f"Settled by {cell.settlement.who}: {cell.settlement.verdict}")
    return [*lines, f"Counts as: {cell.final or 'disputed'}"]


def render(content: Content) -> str:
    """The report as one HTML file that needs nothing from outside."""
    case = content.case
    pictures = "".join(_picture(cell, content.thumbnails[cell.number]) for cell in content.mattered)
    sections = [
        Section(
            "Decisions",
            [
                html.table(case_wording.COUNT_HEADER, case_wording.count_rows(content.counts)),
                *map(html.text, case_wording.shares(content.counts)),
                html.text(about, "small") if (about := case_wording.about_shares(content.counts)) else "",
                html.text(content.place),
                html.text(content.untold, "small") if content.untold else "",
            ],
        ),
        Section("Pictures", [html.text(MATTERED, "small"), pictures]),
        Section(
            "Readers",
            [
                html.table(("Reader", *VERDICTS), content.readers)
                if content.readers
                else html.text(NO_READER),
                *map(html.text, content.agreement),
            ],
        ),
        Section(
            "The model's record",
            [
                *map(html.text, content.record),
                html.table(source_words.HEADER, content.sources) if content.sources else "",
                *(html.text(note, "small") for note in content.notes),
            ],
        ),
        Section("Signature", [html.text(case_wording.signature(case))]),
        Section("All cells", [_table(content)]),
    ]
    return html.render(f"Case {case.identifier}", content.heading, sections, "")


def _table(content: Content) -> str:
    table = case_tables.cells([(content.case, content.cells)], {})[case_tables.SHOWN]
    return html.table(table.columns, table.astype(object).where(table.notna(), "").to_numpy())


def _picture(cell: Cell, thumbnail: bytes) -> str:
    data = base64.b64encode(thumbnail).decode("ascii")
    lines = "<br>".join(map(escape, caption(cell)))
    return (
        f'<figure style="{HTML_STYLE}"><img alt="Cell {cell.number}" style="width:100%" '
        f'src="data:image/jpeg;base64,{data}"><figcaption>{lines}</figcaption></figure>'
    )


def _readers(found: Sequence[Cell]) -> list[tuple[str, ...]]:
    given: dict[str, Counter] = {}
    for cell in found:
        for one in cell.readings:
            given.setdefault(one.reader, Counter())[one.verdict] += 1
    return [
        (reader, *(f"{counts[verdict]:,}" for verdict in VERDICTS))
        for reader, counts in sorted(given.items())
    ]


def _record(data: Path, bundle: Bundle | None, answered: Sequence[Model]) -> Record:
    """What is told of the record of the model that answered last, and why where nothing or not all is."""
    if not answered:
        return [case_wording.NO_ANSWER], [], []
    _, record_sha256, point = answered[0]
    is_there = bundle and bundles.checksum(bundle.folder / bundles.RECORD) == record_sha256
    lines, rows, notes = _told(data, bundle, point) if is_there else NOTHING
    if len(answered) > 1:
        latest = case_wording.LATEST_RECORD.format(case_wording.model(answered[0]))
        said = [case_wording.SEVERAL_RECORDS, latest if lines else case_wording.LATEST_GONE]
        return [" ".join(said), *lines], rows, notes
    return lines or [case_wording.NO_RECORD], rows, notes


def _told(data: Path, bundle: Bundle, point: OperatingPoint) -> Record:
    """How the model did on patients it had not seen, by the limits that called these cells."""
    predictions = held_out.with_sources(data, bundle.predictions)
    try:
        shares = " ".join(three_way.sentences(three_way.evaluate(predictions, point)))
    except DatasetError:  # one class only
        return NOTHING
    seen = "also seen in training" if bundle.leaky else "not seen in training"
    lines = [f"On {len(predictions):,} cells of {patients.count(predictions)} {seen}: {shares}"]
    figures = sources.evaluate(predictions, point)
    if figures is None:
        return [*lines, source_words.UNKNOWN], [], []
    own = point.threshold == bundle.threshold
    target = bundle.record.threshold.target_recall if own else None
    said = source_words.lines(figures, target, bundle.record.promised(point))
    return [*lines, *said], source_words.table(figures), source_words.notes(figures)
