"""What a data set holds, as charts with a sentence each: classes, sources, patients, sizes, brightness.

Each class has its colour and, where areas meet, its pattern. The sentences are reckoned from the set
at hand; names from files are in them as plain text.
"""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.dataset.catalog.filters import UNKNOWN, UNLABELLED
from leukemia.dataset.catalog.records import Tally
from leukemia.dataset.catalog.summary import ImagesPerPatient
from leukemia.plots import class_bars, style
from leukemia.plots.chart import Chart, Drawing

COLOURS = {NORMAL: style.NORMAL, ALL: style.ALL, UNLABELLED: style.GREY}
PATTERNS = {NORMAL: "", ALL: "/", UNLABELLED: "."}
# Lines over the class's colour; by itself, Plotly would leave white between them.
PATTERN = {"fillmode": "overlay", "solidity": 0.2, "size": 7, "fgcolor": "rgba(0, 0, 0, 0.45)"}
# Patients are named below their bars up to here.
NAMED = 80
# Medians that differ by less than this share are called alike.
LITTLE = 0.03
# Cells from which on a source's median is compared with another's.
ENOUGH = 100
CELL_SIZE = "Cell size (frame pixels)"
BRIGHTNESS = "Mean luma of the cell's pixels (0 black to 255 white)"
BOXES = "Boxes show the middle half of the cells, whiskers the middle 90%."


def images_by_source(sources: pd.DataFrame, tally: Tally) -> Drawing:
    """Draw the images by source and class.

    Parameters
    ----------
    sources : pandas.DataFrame
        Of :func:`leukemia.dataset.catalog.summary.by_source`.
    tally : Tally
        Of the whole set.
    """
    html = class_bars.html("Images by class and source", sources, "images")
    if not tally.all or not tally.normal:
        return Drawing(html, "Only one class is labelled: a model cannot be trained on this set.")
    most, many = max((tally.all, ALL), (tally.normal, NORMAL), key=lambda each: each[0])
    few = NORMAL if many == ALL else ALL
    rest = tally.all + tally.normal - most
    return Drawing(
        html,
        f"{most / rest:.1f} {many} images for each {few} image: always answering {many} would be right for "
        f"{most / (most + rest):.0%} of the labelled images.",
    )


def patients_by_source(sources: pd.DataFrame) -> Drawing:
    """Draw the patients by source and class; ``sources`` as for :func:`images_by_source`."""
    html = class_bars.html("Patients by class and source", sources, "patients")
    rows = sources[sources["label"] != ""]
    if rows.empty:
        return Drawing(html, "No image is labelled.")
    least = rows.sort_values(["patients", "source"], kind="stable").iloc[0]
    count = least["patients"]
    return Drawing(
        html,
        f"Models are evaluated on patients, not on images, and there are few patients: only {count} "
        f"{'patient' if count == 1 else 'patients'} labelled {least['label']} in source {least['source']}.",
    )


def images_per_patient(counts: ImagesPerPatient) -> Chart:
    """Chart the images of each patient, the patient with most of them first."""
    figure = go.Figure()
    rows = counts.patients
    ranks = {patient: rank for rank, patient in enumerate(dict.fromkeys(rows["patient"]), 1)}
    for label in LABELS:
        own = rows[rows["label"] == label]
        names = [f"Patient {name}" for name in own["patient"]]
        _bars(figure, label, own["patient"].map(ranks), own["images"], names=names)
    _finish(figure, "Images per patient", "Patients, most images first", "Images", barmode="stack")
    named = len(ranks) <= NAMED
    if named:
        figure.update_xaxes(
            tickvals=list(ranks.values()), ticktext=list(ranks), tickfont_size=9, tickangle=-90
        )
    figure.update_layout(bargap=0.15 if named else 0)
    return Chart(
        figure,
        f"Of {len(ranks):,} patients, the {counts.tenth} with the most images (up to {counts.most:,} each) "
        f"account for {counts.share:.0%} of all labelled images; the median patient has "
        f"{counts.median:,.0f}. An estimate over images mostly describes the patients on the left.",
    )


def split_images(subsets: pd.DataFrame) -> Chart:
    """Chart the labelled images in each subset of the split.

    Parameters
    ----------
    subsets : pandas.DataFrame
        Of :func:`leukemia.dataset.catalog.summary.by_subset`.
    """
    known = subsets[subsets["subset"] != UNKNOWN]
    each = known.groupby("subset", sort=False)["images"].sum()
    blasts = known[known["label"] == ALL].groupby("subset")["images"].sum()
    shares = blasts.reindex(each.index, fill_value=0) / each
    listed = ", ".join(f"{name} {count:,}" for name, count in each.items())
    return Chart(
        _by_subset(subsets, "images", "Images", "Split composition: images"),
        f"Images: {listed}. {shares.min():.0%} to {shares.max():.0%} of a subset's images are ALL. "
        "Patients are never divided between subsets, so the balance cannot be chosen freely.",
    )


def split_groups(subsets: pd.DataFrame, twice: int, groups: int) -> Chart:
    """Chart the patient groups in each subset of the split.

    Parameters
    ----------
    subsets : pandas.DataFrame
        As for :func:`split_images`.
    twice, groups : int
        Of :func:`leukemia.dataset.catalog.summary.groups_in_two_subsets`.
    """
    caption = f"Checked: none of the {groups:,} patient groups appears in more than one subset."
    if twice:
        caption = f"{twice:,} of {groups:,} patient groups appear in more than one subset: the split leaks."
    return Chart(
        _by_subset(subsets, "groups", "Patient groups", "Split composition: patient groups"), caption
    )


def cell_size(bars: pd.DataFrame, medians: dict[str, tuple[float, int]]) -> Chart:
    """Chart the spread of the cells' size by class.

    Parameters
    ----------
    bars : pandas.DataFrame
        Of :func:`leukemia.dataset.catalog.summary.histogram`.
    medians : dict of str to tuple
        Of :func:`leukemia.dataset.catalog.summary.group_medians`.
    """
    figure = _histogram(bars, "Cell size by class", CELL_SIZE)
    return Chart(figure, _compared(medians, "larger", "smaller", "about as large as", "frame pixels", ",.0f"))


def brightness(bars: pd.DataFrame, medians: dict[str, tuple[float, int]], *, complete: bool) -> Chart:
    """Chart the spread of the cells' brightness by class; see :func:`cell_size`.

    ``complete`` says whether all cells are measured.
    """
    sentence = _compared(medians, "brighter", "darker", "about as bright as", "of 255", ".1f")
    return Chart(
        _histogram(bars, "Cell brightness by class", BRIGHTNESS),
        f"{'' if complete else 'Measured so far: '}{sentence} If brightness separates the "
        "classes, a model may learn the stain instead of the cell.",
    )


def size_by_source(boxes: pd.DataFrame) -> Chart:
    """Chart the cells' size by source and class.

    Parameters
    ----------
    boxes : pandas.DataFrame
        Of :func:`leukemia.dataset.catalog.summary.quantiles`.
    """
    figure = go.Figure()
    for label in LABELS:
        rows = boxes[boxes["label"] == label]
        figure.add_box(
            x=rows["source"],
            q1=rows["q1"],
            median=rows["median"],
            q3=rows["q3"],
            lowerfence=rows["low"],
            upperfence=rows["high"],
            name=label,
            marker_color=COLOURS[label],
            fillcolor="rgba(0,0,0,0)" if label == NORMAL else None,
        )
    _finish(figure, "Cell size by source and class", "Source", CELL_SIZE, boxmode="group")
    ranges = []
    for label, rows in boxes[boxes["cells"] >= ENOUGH].groupby("label", sort=False):
        if len(rows) > 1:
            low, high = rows.loc[rows["median"].idxmin()], rows.loc[rows["median"].idxmax()]
            ranges.append(
                f"{label} from {low['median']:,.0f} ({low['source']}) to {high['median']:,.0f} "
                f"({high['source']})"
            )
    if not ranges:
        return Chart(figure, f"{BOXES} Fewer than two sources have {ENOUGH} cells of a class to compare.")
    return Chart(
        figure,
        f"{BOXES} Median cell size differs between sources (over cells): {'; '.join(ranges)} frame pixels. "
        "A size difference in one source may not hold in another.",
    )


def frame_sizes(frames: pd.DataFrame) -> Chart:
    """Chart the images by frame size.

    Parameters
    ----------
    frames : pandas.DataFrame
        Of :func:`leukemia.dataset.catalog.summary.frames`.
    """
    each = frames.groupby("frame", sort=False)["images"].sum()
    figure = go.Figure()
    figure.add_bar(y=list(each.index), x=list(each), orientation="h", marker_color=COLOURS[UNLABELLED])
    figure.data[0].text = [f"{count:,}" for count in each]
    figure.data[0].textposition = "auto"
    _finish(figure, "Frame sizes", "Images", "Pixels")
    figure.update_layout(showlegend=False, height=max(200, 110 + 45 * len(each)))
    figure.update_yaxes(type="category")
    each = each.sort_values(ascending=False)
    total, most, first = int(each.sum()), int(each.iloc[0]), each.index[0]
    if len(each) == 1:
        return Chart(figure, f"All {total:,} frames measure {first} pixels.")
    return Chart(
        figure,
        f"{most:,} of {total:,} frames measure {first} pixels, {total - most:,} another size. Cells are cut "
        "out at native scale and never resized: size helps to recognise a blast.",
    )


def _by_subset(subsets: pd.DataFrame, column: str, unit: str, title: str) -> go.Figure:
    figure = go.Figure()
    rows = subsets.replace({"subset": {UNKNOWN: "in no subset"}})
    for label in LABELS:
        own = rows[rows["label"] == label]
        _bars(figure, label, own["subset"], own[column])
    figure.update_xaxes(categoryorder="array", categoryarray=list(dict.fromkeys(rows["subset"])))
    return _finish(figure, title, "Subset", unit, barmode="group")


def _histogram(bars: pd.DataFrame, title: str, unit: str) -> go.Figure:
    """Bars by class, as shares of the class's cells."""
    figure = go.Figure()
    for label in LABELS:
        rows = bars[bars["label"] == label]
        _bars(figure, label, rows["middle"], 100 * rows["share"], opacity=0.65, width=rows["width"])
        figure.data[-1].hovertemplate = f"%{{x:,.0f}}: %{{y:.1f}}% of {label} cells<extra></extra>"
    _finish(figure, title, unit, "% of the class's cells", barmode="overlay")
    return figure.update_layout(bargap=0)


def _bars(
    figure: go.Figure,
    label: str,
    x: Sequence[object],
    y: Sequence[float],
    names: list[str] | None = None,
    **more: object,
) -> None:
    figure.add_bar(
        x=list(x),
        y=list(y),
        name=label,
        hovertext=names,
        marker={"color": COLOURS[label], "pattern": {"shape": PATTERNS[label], **PATTERN}},
        **more,
    )


def _finish(figure: go.Figure, title: str, x: str, y: str, **layout: object) -> go.Figure:
    return style.finish(figure, title, x, y, **layout).update_yaxes(rangemode="tozero")


def _compared(
    medians: dict[str, tuple[float, int]], more: str, less: str, alike: str, unit: str, form: str
) -> str:
    if not set(LABELS) <= medians.keys():
        return "Only one class is labelled: there is nothing to compare."
    (blast, of_blast), (normal, of_normal) = medians[ALL], medians[NORMAL]
    change = blast / normal - 1
    verdict = f"{abs(change):.0%} {more if change > 0 else less} than" if abs(change) >= LITTLE else alike
    return (
        f"ALL cells are {verdict} Normal cells: {blast:{form}} against {normal:{form}} {unit} (medians over "
        f"{of_blast} and {of_normal} patient groups)."
    )
