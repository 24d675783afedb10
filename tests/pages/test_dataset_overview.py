"""The overview of the Dataset page, without a browser; the page without a set, or without a model of it."""

import json
import re

import numpy as np
import pytest

from leukemia.storage.workspace import Workspace
from pages.sections.dataset import grid
from tests.support import gallery_page
from tests.support.app import said
from tests.support.gallery_page import cards, matching

cells, own_bundle, visit = gallery_page.cells, gallery_page.own_bundle, gallery_page.visit


def test_without_a_set_the_page_says_how_to_come_by_one(visit, tmp_path):
    for section in ("overview", "gallery", "unlabelled"):
        page = visit(data=tmp_path / "nothing", section=section)
        assert not page.error
        assert "No images have been imported yet." in said(page)
        assert "python -m" not in said(page)
        assert "Prepare the sample set" in {button.label for button in page.button}


def test_a_damaged_manifest_is_a_sentence(visit, tmp_path):
    Workspace(tmp_path).manifest.write_text("image_id,path\n")
    page = visit(data=tmp_path)
    assert "lacks columns:" in page.error[0].value.replace("\\", "")


def test_the_overviews_counts_are_those_of_the_files(visit, looked_through, cells):
    page = visit()
    shown = {metric.label: int(metric.value.replace(",", "")) for metric in page.metric}
    on_disk = {
        "Normal": len(list((looked_through / "labeled_images" / "Normal").iterdir())),
        "ALL": len(list((looked_through / "labeled_images" / "ALL").iterdir())),
        "Unlabelled": len(list((looked_through / "unlabeled_images").iterdir())),
    }
    assert min(on_disk.values()) > 0
    named = [
        path
        for folder in ("Normal", "ALL")
        for path in (looked_through / "labeled_images" / folder).iterdir()
    ]
    patients = {
        re.search(r"UID_([Hh]?\d+)_", path.name).group(1).upper() for path in named if "UID" in path.name
    }
    assert shown == on_disk | {
        "Images": sum(on_disk.values()),
        "Patients": cells.loc[cells["patient"] != "", "patient"].nunique(),
        "Patient groups": cells.loc[cells["patient_group"] != "", "patient_group"].nunique(),
    }
    assert patients <= set(cells["patient"])
    assert len(patients) > 5


def test_each_chart_has_a_title_units_and_a_sentence(visit):
    page = visit()
    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    titles = [figure["layout"]["title"]["text"] for figure in figures]
    assert titles == [
        "Images per patient",
        "Split composition: images",
        "Split composition: patient groups",
        "Cell size by class",
        "Cell size by source and class",
        "Cell brightness by class",
        "Frame sizes",
    ]
    for figure in figures:
        assert figure["layout"]["xaxis"]["title"]["text"]
        assert figure["layout"]["yaxis"]["title"]["text"]
    drawn = [part.proto.body for part in page.get("html") if "by class and source" in part.proto.body]
    for html, what in zip(drawn, ("Images", "Patients"), strict=True):
        assert f"<caption>{what} by class and source</caption>" in html
        assert f'<th scope="col">{what}</th>' in html
    assert len([caption for caption in page.caption if len(caption.value) > 40]) >= len(figures) + 2
    assert "synthetic drawings" in said(page)


def test_the_charts_show_what_the_manifest_holds(visit, cells):
    page = visit()
    figures = {
        f["layout"]["title"]["text"]: f for f in (json.loads(c.proto.spec) for c in page.get("plotly_chart"))
    }
    bars = next(part.proto.body for part in page.get("html") if "Images by class" in part.proto.body)
    counts = [int(count.replace(",", "")) for count in re.findall(r"<span>([\d,]+)</span>", bars)]
    assert sorted(counts) == sorted(cells.groupby(["source", "label"]).size())
    tail = figures["Images per patient"]["data"]
    known = cells[(cells["label"] != "") & (cells["patient"] != "")]
    heights = sorted(value for bars in tail for value in values(bars["y"]))
    assert heights == sorted(known.groupby("patient").size())
    spread = figures["Cell size by class"]["data"]
    assert all(sum(values(bars["y"])) == pytest.approx(100) for bars in spread)
    frames = figures["Frame sizes"]["data"][0]
    each = cells.groupby(["width", "height"]).size()
    assert dict(zip(values(frames["y"]), values(frames["x"]), strict=True)) == {
        f"{width} × {height}": count for (width, height), count in each.items()
    }
    groups = figures["Split composition: patient groups"]["data"]
    assert sum(value for bars in groups for value in values(bars["y"])) == known["patient_group"].nunique()


def values(column):
    """A chart's column, as Plotly writes it: a list, or packed numbers."""
    if isinstance(column, list):
        return column
    import base64

    return list(np.frombuffer(base64.b64decode(column["bdata"]), np.dtype(column["dtype"])))


def test_without_a_model_the_page_works_and_says_what_is_missing(visit, tmp_path):
    page = visit(bundle=tmp_path / "no model")
    assert "Each model has its own split" in said(page)
    page = visit(bundle=tmp_path / "no model", section="gallery", outcome="wrong", sort="wrongest")
    assert "need a model in service" in said(page)
    assert "Subset" not in [one.label for one in page.multiselect]
    assert [slider.label for slider in page.slider] == ["Cell size (frame pixels)"]
    # A condition on answers that nobody gave must not hide every cell.
    assert matching(page)[0] == matching(page)[1]
    assert len(cards(page)) == grid.PAGE_SIZE


def test_a_model_of_another_set_is_told_apart(visit, tiny_bundle):
    page = visit(bundle=tiny_bundle, section="gallery")
    assert "no held-out answer for any cell here" in said(page)
    assert "The model in service was trained on another set" in said(visit(bundle=tiny_bundle))
