"""The first page of the performance report: the conclusion, the limits, and the worst errors pictured."""

import base64
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import estimates, formatting, held_out, three_way
from leukemia.evaluation.breakdown import source_words, sources
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.evaluation.held_out import ALARM, MISSED, SYNTHETIC
from leukemia.imaging.thumbnails import Thumbnails
from leukemia.operating_point import INDETERMINATE, WORDS, OperatingPoint
from leukemia.plots import confusion_matrix
from leukemia.registry.versions import Version
from leukemia.reports import html, wording
from leukemia.reports.html import Section

# One row of pictures each on a page of A4.
SHOWN = {MISSED: 7, ALARM: 7}
MARKS = {"ALL": "▲", INDETERMINATE: "◆", "Normal": "●"}


def sections(
    version: Version,
    point: OperatingPoint,
    chosen: str,
    held_out_curves: HeldOutCurves,
    cells: pd.DataFrame,
    data: Path | None,
) -> list[Section]:
    """Put the sections of the first page together; see :func:`leukemia.reports.performance.render`."""
    return [
        _conclusion(version.bundle, point, held_out_curves, cells),
        _operating_point(version.bundle, point, chosen),
        _worst_errors(cells, point, data),
    ]


def _conclusion(
    bundle: Bundle, point: OperatingPoint, held_out_curves: HeldOutCurves, cells: pd.DataFrame
) -> Section:
    at = estimates.at_threshold(held_out_curves.cells, point.threshold)
    figures = sources.evaluate(cells, point)
    called = formatting.matrix(at["sensitivity"].value, at["specificity"].value)
    parts = [html.text(warning, "warning") for warning in wording.warnings(bundle)]
    parts.append(html.text(f"{wording.PURPOSE} {wording.cohort(bundle.predictions)}"))
    parts.append(html.text(f"{wording.forced(point)} {called}"))
    if figures is None:
        return Section("Conclusion", [*parts, html.text(source_words.UNKNOWN)])
    first, *short = wording.by_source(bundle, figures, point)
    parts.append(html.text(first, "lead"))
    parts += [html.text(words, "warning") for words in short]
    return Section("Conclusion", parts)


def _operating_point(bundle: Bundle, point: OperatingPoint, chosen: str) -> Section:
    predictions = bundle.predictions
    shares = three_way.evaluate(predictions, point)
    table = confusion_matrix.three_way(three_way.counts(predictions, point), shares)
    return Section(
        "Threshold and limits",
        [
            html.text(
                f"{point} Threshold {point.threshold:.4f} ({chosen}). {wording.promise(bundle, point)}"
            ),
            table,
            html.text(wording.SHARES, "small"),
        ],
    )


def _worst_errors(cells: pd.DataFrame, point: OperatingPoint, data: Path | None) -> Section:
    wrong = {kind: held_out.misclassified(cells, point.threshold, kind) for kind in SHOWN}
    parts = [html.text(wording.errors(wrong, len(cells), point.threshold), "small")]
    # An image that came under two patients' names is pictured once.
    shown = {kind: rows.drop_duplicates("image_id").head(SHOWN[kind]) for kind, rows in wrong.items()}
    pictures = _pictures(pd.concat(shown.values()), data)
    if not pictures and any(map(len, shown.values())):
        parts.append(html.text(wording.NO_IMAGES))
    for kind, rows in shown.items():
        if rows.empty:
            parts.append(html.text(f"No {wording.ERRORS[kind]} at this threshold."))
            continue
        figures = "".join(_cell(row, point, pictures.get(row.image_id)) for row in rows.itertuples())
        parts.append(f'<h3>{kind}</h3><div class="cells">{figures}</div>')
    return Section("The most confident errors", parts)


def _pictures(rows: pd.DataFrame, data: Path | None) -> dict[str, bytes]:
    known = rows[rows["path"].notna()]
    if data is None or known.empty:
        return {}
    return Thumbnails(data).get(zip(known["image_id"], known["path"], strict=True))


def _cell(row: Any, point: OperatingPoint, picture: bytes | None) -> str:
    (call,) = point.call([row.probability])
    lines = [f"{MARKS[call]} {WORDS[call]} {point.shown(row.probability)}", f"Label: {row.label}"]
    lines += [f"Patient {row.patient_group}", *filter(None, [row.source]), str(row.image_id)[:12]]
    lines += ["synthetic drawing"] * (row.source == SYNTHETIC)
    image = ""
    if picture:
        source = base64.b64encode(picture).decode("ascii")
        spoken = escape(f"Cell of patient {row.patient_group}")
        image = f'<img alt="{spoken}" src="data:image/jpeg;base64,{source}">'
    words = "<br>".join(map(escape, lines))
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>"
