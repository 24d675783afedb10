"""The checks on the page, without a browser."""

import json
import os
import re
import shutil

import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.dataset import label_log, manifest
from leukemia.dataset.catalog import brightness
from leukemia.dataset.quality import damage, near_duplicates
from leukemia.evaluation import label_issues
from pages.sections.dataset import checks
from tests.support.app import labels, press, said, wait


def unfold(page, *names):
    """Open checks, as a click on their titles does."""
    for name in names:
        page.session_state[f"{checks.OPEN}{name}"] = True
    page.run()
    assert not page.exception
    return page


def test_a_check_that_is_folded_says_what_it_found_and_sends_no_picture(open_dataset):
    page = open_dataset("checks")
    closed = [one for one in page.expander if not one.proto.expanded]
    assert all(one.markdown[0].value for one in closed)
    assert not [one for one in closed if one.get("html") or one.get("bidi_component") or one.dataframe]
    (tied,) = [one for one in closed if "linked into groups" in one.label]
    page = unfold(page, "tied")
    (tied,) = [one for one in page.expander if "linked into groups" in one.label]
    assert len(tied.dataframe) == 1


def test_the_split_is_a_proved_statement_with_its_count(open_dataset, dataset, drawn_bundle):
    page = open_dataset("checks")
    cells = manifest.read(dataset)
    own = cells[cells["label"] != ""]
    told = page.success[0].value.replace("\\", "")
    assert "No patient is in more than one subset." in told
    assert f"all {own['patient_group'].nunique()} patient groups" in told
    assert f"{len(own):,} cells" in told
    assert bundles.read(drawn_bundle).name in told


def test_without_a_model_the_default_split_is_proved_and_suspects_are_not_known(open_dataset, tmp_path):
    page = open_dataset("checks", bundle=tmp_path / "none")
    assert "a training with seed 0 would use" in page.success[0].value
    assert "Label suspects: not checked yet" in [label.replace("*", "") for label in labels(page)]
    assert "needs a model in service" in said(page)


def test_pairs_stand_side_by_side_with_their_patients(open_dataset):
    text = said(unfold(open_dataset("checks"), "near", "identical"))
    pairs = re.findall(r'<div class="pair" .*?</p>', text)
    people = sorted(re.search(r"Patient (.*?) ·", pair)[1] for pair in pairs)
    assert people == ["20 = 21", "20 = 21", "25", "H2 = H4", "H4 = H5"]
    for pair in pairs:
        assert pair.count("<img") == 2


def test_every_check_is_there(open_dataset):
    titles = " ".join(labels(open_dataset("checks")))
    for title in (
        "Identical images",
        "Near-identical images",
        "Patients linked into groups",
        "Rows without files",
        "Files without rows",
        "Unreadable files",
        "Cells touching the frame",
        "Unusual frame sizes",
        "Label suspects",
    ):
        assert title in titles


def test_suspects_are_shown_the_most_suspect_first(open_dataset, dataset, drawn_bundle):
    page = unfold(open_dataset("checks"), "suspects")
    bundle = bundles.read(drawn_bundle)
    cells = label_log.apply(dataset, manifest.read(dataset))
    expected = (
        label_issues.check(cells, bundle.predictions, threshold=0.5, model="").rows["image_id"].tolist()
    )
    assert set(expected) == set(bundle.predictions["image_id"].iloc[:2])
    (grid,) = [g for g in page.get("bidi_component") if g.proto.id.endswith("check-suspects-grid")]
    assert [card["id"] for card in json.loads(grid.proto.json)["cards"]] == expected


@pytest.mark.process
def test_files_of_another_date_are_read_when_that_is_asked_for(open_dataset, dataset, monkeypatch):
    cells = manifest.read(dataset)
    damage.find(dataset, cells, workers=2)
    for path in cells["path"]:
        os.utime(dataset / path, (1, 1))
    cut = dataset / cells["path"].iloc[0]
    cut.write_bytes(cut.read_bytes()[:-900])
    monkeypatch.setattr(damage, "FEW", 1)
    page = open_dataset("checks")
    title = "Damaged since import: "
    assert f"{title}not checked yet" in [label.replace("*", "") for label in labels(page)]
    press(page, "Read all images")
    wait(page, jobs.latest(dataset, "similar"))
    assert f"{title}problem" in [label.replace("*", "") for label in labels(page)]


@pytest.mark.process
def test_a_scan_of_all_images_starts_by_itself_and_is_kept(open_dataset, dataset):
    shutil.rmtree(dataset / "cache")
    brightness.measure(dataset, workers=2)
    page = open_dataset("checks")
    assert "Searching for" in said(page)
    assert "Near-identical images: not checked yet" in [label.replace("*", "") for label in labels(page)]
    job = jobs.latest(dataset, "similar")
    wait(page, job)
    assert "Searching for" not in said(page)
    assert near_duplicates.cached(dataset, manifest.read(dataset)).images == len(manifest.read(dataset))
    page.run()
    assert jobs.latest(dataset, "similar") == job
