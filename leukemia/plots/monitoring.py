"""Control charts over cases, and the agreement of readers over signed cases."""

from html import escape
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from leukemia.monitoring import recent
from leukemia.monitoring.control import Track
from leukemia.monitoring.measures import MEASURES
from leukemia.monitoring.readers import Readers
from leukemia.monitoring.recent import Cells
from leukemia.monitoring.watch import Report
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.plots.chart import Chart
from leukemia.plots.style import COLOURS, GREY, SERIES, faint, finish

OWN, LIMIT, ALERT = COLOURS[NORMAL_LIKE], "#A58A00", COLOURS[ALL_LIKE]


def control_chart(report: Report, found: Cells, name: str) -> Chart:
    """Draw one measure of the cases in the window, in the order of their numbers.

    Cases that other versions answered meanwhile are drawn in grey, and each change of version is marked.

    Parameters
    ----------
    report : Report
    found : Cells
        All cells, for the cases of other versions.
    name : str
        A measure of the report.
    """
    measure, line, figure = MEASURES[name], report.lines[name], go.Figure()
    order = _order(report, found)
    place = {one: x for x, one in enumerate(order, 1)}
    own = found.models.index(report.model)
    first = len(report.cases.numbers) - report.described
    numbers = report.cases.numbers[first:]
    x = np.array([place[number, own] for number in numbers])
    if line.track:
        _limits(figure, x, line.track, first, is_bounded=measure.is_bounded)
    if line.baseline and len(sources := sorted(line.baseline.by_source.values())) > 1:
        figure.add_hrect(sources[0], sources[-1], fillcolor=GREY, opacity=0.16, line_width=0)
    _others(figure, found, name, place, own)
    _cases(figure, report, name, x, first)
    if line.track:
        mean_x, mean_y = _line(x, line.track.ewma[first:])
        figure.add_scatter(
            x=mean_x,
            y=mean_y,
            name="Weighted mean",
            mode="lines",
            line={"color": OWN, "width": 3},
            hovertemplate="weighted mean %{y}<extra></extra>",
        )
    for at, label in _changes(order, found, own):
        figure.add_vline(x=at - 0.5, line_dash="dash", line_color=GREY)
        figure.add_annotation(
            x=at - 0.5,
            y=0,
            yref="paper",
            text=label,
            showarrow=False,
            textangle=-90,
            xanchor="left",
            yanchor="bottom",
        )
    y = f"{measure.title} ({measure.unit})" if measure.unit else f"{measure.title}, share of a case's cells"
    finish(figure, f"{measure.title}, case by case", "Cases in their order", y, height=400)
    if measure.is_share:
        figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    figure.update_xaxes(range=[0.3, len(order) + 0.7], tickformat="d", dtick=_step(len(order)))
    return Chart(figure, _caption(report, name, len(order) > len(numbers)))


def agreement_chart(readers: Readers) -> Chart:
    """Draw kappa over the signed cases, a mark for each block of them."""
    figure, over = go.Figure(), set()
    names = [
        f"{one.first} to {one.last}" if one.first != one.last else str(one.first) for one in readers.blocks
    ]
    sides = (("Readers and the model", "with_model", -0.06), ("Two readers", "between", 0.06))
    for (title, attribute, shift), (colour, dash, mark) in zip(sides, SERIES, strict=False):
        known = [
            (x, getattr(one, attribute)) for x, one in enumerate(readers.blocks) if getattr(one, attribute)
        ]
        known = [(x, found) for x, found in known if found.is_told]
        if not known:
            continue
        over |= {found.over for _, found in known}
        value, low, high = np.array([(f.kappa.value, f.kappa.low, f.kappa.high) for _, f in known]).T
        figure.add_scatter(
            x=[x + shift for x, _ in known],
            y=value,
            name=title,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            marker={"symbol": mark, "size": 10},
            error_y={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low},
            customdata=[f"{found.same:,} of {found.cells:,} verdicts the same" for _, found in known],
            hovertemplate="kappa %{y:.3f}: %{customdata}<extra></extra>",
        )
    finish(figure, "Agreement over signed cases", "Signed cases, by their numbers", "Cohen's kappa")
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5])
    figure.update_yaxes(range=[-0.25, 1.05])
    return Chart(
        figure,
        f"1 is full agreement, 0 no more than chance. {_over(over)} Readers choose which cells they read, "
        "and may have seen the model's answer: this shows a change, not how good the model is.",
    )


def _order(report: Report, found: Cells) -> list[tuple[int, int]]:
    """Case and model of all that the chart shows, in the order of the cases."""
    pairs = list(dict.fromkeys(zip(found.table["case_id"], found.table["model"], strict=True)))
    shown = report.cases.numbers[len(report.cases.numbers) - report.described :]
    own, known = found.models.index(report.model), set(shown)
    return [(case, model) for case, model in pairs if case >= shown[0] and (model != own or case in known)]


def _changes(order: list[tuple[int, int]], found: Cells, own: int) -> list[tuple[int, str]]:
    """Where the model or its limits change, and which come then."""
    out = []
    for at, ((_, before), (_, after)) in enumerate(pairwise(order), 2):
        if before != after:
            model = found.models[after]
            other = "this model" if after == own else "another model or other limits"
            out.append((at, f"version {model.version}" if model.version else other))
    return out


def _over(units: set[str]) -> str:
    """What the intervals of kappa are over; see :class:`leukemia.cases.agreement.Agreement`."""
    if len(units) > 1:
        return "Bars are 95% intervals over cases, or over cells where there is one case."
    return f"Bars are 95% intervals over {units.pop()}." if units else ""


def _step(cases: int) -> int:
    """How far the marks of the axis are apart: whole cases, and about ten marks."""
    size = 10 ** (len(str(cases)) - 1)
    return next(step for step in (size // 10, size // 5, size // 2, size) if step and cases <= 12 * step)


def _line(x: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A line that is broken at NaN, and wherever cases of another version lie between.

    A case by itself has a line as wide as its place: a line of one point would not be drawn.
    """
    known = np.flatnonzero(~np.isnan(values.astype(float)))
    runs = np.split(known, np.flatnonzero((np.diff(x[known]) > 1) | (np.diff(known) > 1)) + 1)
    out: list[tuple[float, float]] = []
    for run in runs if len(known) else ():
        places = x[run] if len(run) > 1 else x[run[0]] + np.array([-0.4, 0.4])
        heights = values[run] if len(run) > 1 else values[run].repeat(2)
        out += [*zip(places, heights, strict=True), (np.nan, np.nan)]
    drawn = np.array(out[:-1], float).reshape(-1, 2)
    return drawn[:, 0], drawn[:, 1]


def _limits(figure: go.Figure, x: np.ndarray, track: Track, first: int, *, is_bounded: bool) -> None:
    for title, limits, colour, dash in (
        ("Watch", track.watch, LIMIT, "dash"),
        ("Stop", track.stop, ALERT, "solid"),
    ):
        sides = [values[first:] for values in limits]
        if is_bounded:  # no value can pass the others
            sides = [np.where((side > 0) & (side < 1), side, np.nan) for side in sides]
        lines = [_line(x, side) for side in sides]
        for at, (line_x, line_y) in enumerate(line for line in lines if len(line[0])):
            figure.add_scatter(
                x=line_x,
                y=line_y,
                name=f"{title} limits of the mean",
                legendgroup=title,
                showlegend=not at,
                mode="lines",
                line={"color": colour, "dash": dash, "width": 1.5, "shape": "hv"},
                hoverinfo="skip",
            )


def _others(figure: go.Figure, found: Cells, name: str, place: dict[tuple[int, int], int], own: int) -> None:
    x, y = [], []
    for at, model in enumerate(found.models):
        if at == own or not any(pair[1] == at for pair in place):
            continue
        cases = recent.of_model(found, model)
        means = dict(zip(cases.numbers, cases.patients[name]["mean"], strict=True))
        x += [where for (case, of), where in place.items() if of == at]
        y += [means.get(case) for case, of in place if of == at]
    if x:
        figure.add_scatter(
            x=x,
            y=y,
            name="Cases of another version",
            mode="markers",
            marker={"color": GREY, "symbol": "circle-open", "size": 7},
            hovertemplate="another version: %{y}<extra></extra>",
        )


def _cases(figure: go.Figure, report: Report, name: str, x: np.ndarray, first: int) -> None:
    measure, line = MEASURES[name], report.lines[name]
    values = report.cases.patients[name]["mean"].to_numpy(float)[first:]
    odd = line.track.odd[first:] if line.track else np.zeros(len(values), bool)
    names = [escape(one) for one in report.cases.identifiers[first:]]
    kinds = (
        ("Case", ~odd, OWN, "circle", 7),
        ("Case outside the limits of a case", odd, ALERT, "diamond", 11),
    )
    for title, which, colour, mark, size in kinds:
        if not which.any():
            continue
        figure.add_scatter(
            x=x[which],
            y=values[which],
            name=title,
            mode="markers",
            marker={"color": colour if mark == "diamond" else faint(colour), "symbol": mark, "size": size}
            | {"line": {"color": colour, "width": 1}},
            customdata=[
                f"{names[at]}: {measure.shown(values[at])}" if not np.isnan(values[at]) else names[at]
                for at in np.flatnonzero(which)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )


def _caption(report: Report, name: str, several: bool) -> str:
    line = report.lines[name]
    said = ["The circle is the mean over the cells of the latest case."]
    if (cases := report.described) > 1:
        said = [f"Each circle is the mean over the cells of a case, of the latest {cases:,} cases."]
    if line.track:
        said.append(
            "The line is a mean in which each case counts a tenth less than the one after it. It is compared "
            "with the limits, which are wider while there are few cells in a case."
        )
        if MEASURES[name].is_bounded:
            said.append("Limits that no value can pass are not drawn.")
    if line.baseline and len(line.baseline.by_source) > 1:
        said.append("Grey band: the means of the sources that the model was evaluated in.")
    if several:
        said.append("Open circles: cases that another version answered; each version has its own comparison.")
    return " ".join(said)
