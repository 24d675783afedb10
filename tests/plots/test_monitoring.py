"""The control chart and the chart of agreement."""

import numpy as np
import pytest

from leukemia.monitoring import recent, watch
from leukemia.operating_point import OperatingPoint
from leukemia.plots import monitoring
from tests.support.monitoring_factory import add_cases, as_the_model, darker_and_larger, read, record, sign

OTHER = OperatingPoint(0.2, 0.7, 0.5)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def bundle(tmp_path, data):
    return record(tmp_path / "bundle", data)


def chart(data, bundle, name="brightness", model=-1, **options):
    found = recent.cells(data)
    report = watch.of_model(data, found, found.models[model], bundle, **options)
    return report, monitoring.control_chart(report, found, name)


def traces(shown):
    return {one.name: one for one in shown.figure.data}


def test_cases_limits_and_mean_are_drawn_in_the_order_of_the_cases(data, bundle):
    add_cases(data, bundle, 30)
    report, shown = chart(data, bundle, window=20)
    drawn = traces(shown)
    line = report.lines["brightness"]
    assert list(drawn["Case"].x) == list(range(1, 21))
    assert list(drawn["Case"].y) == pytest.approx(list(line.track.value[-20:]))
    assert list(drawn["Weighted mean"].y) == pytest.approx(list(line.track.ewma[-20:]))
    stop = [one for one in shown.figure.data if one.name == "Stop limits of the mean"]
    assert [one.y[-1] for one in stop] == pytest.approx([side[-1] for side in line.track.stop])
    looks = {(one.line.color, one.line.dash) for one in shown.figure.data if one.mode == "lines"}
    assert len(looks) == 3  # no two kinds of line are told apart by their colour alone
    assert "latest 20 cases" in shown.caption


def test_one_case_has_one_mark_on_the_axis_and_every_line_that_the_legend_names(data, bundle):
    add_cases(data, bundle, 1)
    report, shown = chart(data, bundle, "cell_area")
    assert shown.figure.layout.xaxis.dtick == 1
    lines = [one for one in shown.figure.data if one.mode == "lines"]
    assert {one.name for one in lines} == {
        "Watch limits of the mean",
        "Stop limits of the mean",
        "Weighted mean",
    }
    assert [list(one.x) for one in lines] == [[0.6, 1.4]] * 5, "a line of one point is not drawn"
    assert lines[-1].y[0] == report.lines["cell_area"].track.ewma[0]
    assert shown.caption.startswith("The circle is the mean over the cells of the latest case. ")


def test_limits_that_no_share_can_pass_are_neither_drawn_nor_in_the_legend(data, bundle):
    add_cases(data, bundle, 1)
    report, shown = chart(data, bundle, "normal_like")
    track = report.lines["normal_like"].track
    assert track.stop[0][0] < 0
    for title, limits in (("Watch", track.watch), ("Stop", track.stop)):
        drawn = [one for one in shown.figure.data if one.name == f"{title} limits of the mean"]
        assert [one.y[0] for one in drawn] == [side[0] for side in limits if 0 < side[0] < 1]
        assert [one.showlegend for one in drawn] == [True, False][: len(drawn)]
    assert "Limits that no value can pass are not drawn." in shown.caption


@pytest.mark.parametrize(("cases", "step"), [(1, 1), (12, 1), (13, 2), (50, 5), (100, 10), (500, 50)])
def test_the_marks_of_the_axis_are_whole_cases(cases, step):
    assert monitoring._step(cases) == step


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ({"cases"}, "over cases."),
        ({"cells"}, "over cells."),
        ({"cases", "cells"}, "where there is one case."),
    ],
)
def test_the_caption_says_what_the_intervals_of_kappa_are_over(units, said):
    assert monitoring._over(set(units)).endswith(said)


def test_agreement_on_few_cells_is_not_drawn(data, bundle):
    (number,) = add_cases(data, bundle, 1, cells=8)
    for reader in ("Ada", "Ben"):
        read(data, number, reader, as_the_model)
    sign(data, [number])
    shown = monitoring.agreement_chart(chart(data, bundle)[0].readers)
    assert not shown.figure.data
    assert "intervals" not in shown.caption


def test_a_change_of_version_is_marked_and_its_cases_stand_apart(data, bundle):
    add_cases(data, bundle, 12)
    add_cases(data, bundle, 4, seed=2, version=4, point=OTHER, change=darker_and_larger)
    add_cases(data, bundle, 3, seed=3)
    _, shown = chart(data, bundle, model=0)
    drawn = traces(shown)
    assert list(drawn["Cases of another version"].x) == [13, 14, 15, 16]
    assert drawn["Cases of another version"].marker.symbol == "circle-open"
    assert [one.text for one in shown.figure.layout.annotations] == ["version 4", "version 3"]
    x = np.array(drawn["Weighted mean"].x, float)
    assert np.isnan(x).sum() == 1  # the line is broken where another version answered
    assert x[~np.isnan(x)].tolist() == [*range(1, 13), 17, 18, 19]
    assert "another version" in shown.caption


def test_an_odd_case_has_a_mark_of_its_own_and_a_name_is_text(data, bundle):
    add_cases(data, bundle, 12)
    add_cases(data, bundle, 1, seed=2, change=lambda c: c.assign(brightness=0.9), identifier="<b>P</b>")
    report, shown = chart(data, bundle)
    odd = traces(shown)["Case outside the limits of a case"]
    assert odd.marker.symbol == "diamond"
    assert odd.customdata[0] == "&lt;b&gt;P&lt;/b&gt;: 0.900"
    assert report.odd_cases() == {12: ["brightness"]}


def test_without_a_record_the_cases_are_drawn_alone(data, bundle):
    add_cases(data, bundle, 12)
    _, shown = chart(data, None)
    assert list(traces(shown)) == ["Case"]


def test_agreement_has_a_mark_for_each_block_of_signed_cases(data, bundle):
    numbers = add_cases(data, bundle, 21, cells=8)
    for number in numbers:
        read(data, number, "Ada", as_the_model)
        read(data, number, "Ben", as_the_model)
    sign(data, numbers)
    report, _ = chart(data, bundle)
    shown = monitoring.agreement_chart(report.readers)
    assert [one.name for one in shown.figure.data] == ["Readers and the model", "Two readers"]
    assert [one.y.tolist() for one in shown.figure.data] == [[1.0, 1.0], [1.0, 1.0]]
    assert list(shown.figure.layout.xaxis.ticktext) == ["1 to 10", "11 to 21"]
