"""The map on the page, without a browser; what a lasso does is in tests/browser."""

import json

import pandas as pd
import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.inference import embedding
from leukemia.operating_point import OperatingPoint
from leukemia.plots import cell_map
from tests.support.app import press, wait


def test_without_a_model_the_map_says_what_is_missing(open_dataset, tmp_path):
    page = open_dataset("map", bundle=tmp_path / "none")
    assert "No model bundle" in page.info[0].value
    assert "features of the model in service" in page.info[0].value


@pytest.mark.process
def test_the_map_is_computed_in_the_background_and_then_shown(open_dataset, dataset, drawn_bundle):
    page = open_dataset("map")
    press(page, "Compute the map")
    wait(page, jobs.latest(dataset, "map"))
    (chart,) = page.get("plotly_chart")
    figure = json.loads(chart.proto.spec)
    cells = manifest.read(dataset)
    positions = embedding.cached(bundles.read(drawn_bundle), dataset, cells)
    assert sum(len(trace["customdata"]) for trace in figure["data"]) == len(cells) == len(positions)
    shown = {trace["name"]: len(trace["customdata"]) for trace in figure["data"]}
    counts = cells["label"].replace("", "unlabelled").value_counts().to_dict()
    assert shown == counts
    for colour in cell_map.COLOURINGS:
        page.get("button_group")
        page.session_state["map-colour"] = colour
        page.run()
        assert not page.exception
        (chart,) = page.get("plotly_chart")
        figure = json.loads(chart.proto.spec)
        assert sum(len(trace["customdata"]) for trace in figure["data"]) == len(cells)


def test_what_is_selected_are_the_rows_that_the_traces_show():
    shown = [[4, 0, 2], [1, 3]]
    points = [
        {"curve_number": 0, "point_index": 2},
        {"curve_number": 1, "point_index": 0},
        {"curve_number": 0, "point_index": 2},
        {"curve_number": 7, "point_index": 0},
        {"curve_number": 1, "point_index": 9},
    ]
    assert cell_map.selected_rows(points, shown) == [1, 2]
    assert cell_map.selected_rows([], shown) == []


def test_text_beside_a_dot_is_escaped(dataset, drawn_bundle):

    row = {
        "image_id": "a",
        "patient": "<b>1",
        "label": "ALL",
        "subset": "test",
        "review": "",
        "outcome": "right",
    }
    places = pd.DataFrame([row | {"probability": 0.4, "is_held_out": True, "umap_x": 0.0, "umap_y": 0.0}])
    figure, _ = cell_map.draw(places, "UMAP", "Class", (), OperatingPoint.of(0.5))
    told = figure.data[0].customdata[0][1]
    assert "&lt;b&gt;1" in told
    assert "Probability of ALL 0.400: Normal-like" in told
