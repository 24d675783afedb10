"""Checks on the drawn set, held against what was planted in it."""

import shutil
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from leukemia.dataset import label_log, manifest, patient_groups, splits
from leukemia.dataset.importing import importer
from leukemia.dataset.quality import checks, file_checks, near_duplicates
from leukemia.dataset.quality.checks import NOTE, OK, PROBLEM, UNKNOWN
from leukemia.dataset.quality.damage import Damage
from leukemia.dataset.synthetic import sample_writer


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """What was planted, and the prepared folder."""
    top = tmp_path_factory.mktemp("checks")
    summary = sample_writer.write_sample(top / "set", patients=14, cells=5)
    importer.prepare(top / "set", top / "data", workers=2)
    return summary, top / "data"


@pytest.fixture
def cells(planted):
    return label_log.apply(planted[1], manifest.read(planted[1]))


def labelled(cells):
    return cells[cells["label"] != ""]


def test_the_split_is_proved_with_the_count_that_was_checked(cells):
    check = checks.split(labelled(cells), checks.default_split(labelled(cells)), "the split with seed 0")
    groups = labelled(cells)["patient_group"].nunique()
    assert check.level == OK
    assert f"all {groups} patient groups" in check.finding
    assert f"{len(labelled(cells)):,} cells" in check.finding
    assert "0 appear in more than one subset" in check.finding


def test_a_split_with_a_patient_on_two_sides_is_a_problem(cells):
    described = splits.describe(labelled(cells), splits.by_patient(labelled(cells)))
    parts = {part: list(described[part]["groups"]) for part in splits.SUBSETS}
    assert (
        checks.split(labelled(cells), checks.subset_by_group(labelled(cells), parts), "a model").level == OK
    )
    moved = parts["training"][0]
    parts["test"].append(moved)
    check = checks.split(labelled(cells), checks.subset_by_group(labelled(cells), parts), "a model")
    assert check.level == PROBLEM
    assert moved in check.finding


def test_groups_that_a_model_knows_apart_but_share_an_image_are_a_problem(cells):
    """The record of a model says one thing; the images say another."""
    own = labelled(cells)
    alone = own.assign(patient_group=own["patient"])
    names = sorted(alone["patient_group"].unique())
    parts = {"training": [n for n in names if n != "21"], "validation": [], "test": ["21"]}
    check = checks.split(alone, checks.subset_by_group(alone, parts), "a model")
    assert check.level == PROBLEM
    assert "2 identical images appear in more than one subset" in check.finding


def test_a_split_of_other_patients_proves_nothing(cells):
    other = checks.subset_by_group(labelled(cells), {"training": ["nobody"], "validation": [], "test": []})
    check = checks.split(labelled(cells), other, "a model")
    assert check.level == UNKNOWN


def test_of_a_cross_validation_the_folds_are_proved_apart(cells):
    own = labelled(cells)
    numbers = {group: number % 4 for number, group in enumerate(sorted(own["patient_group"].unique()))}
    predictions = own[["image_id"]].assign(fold=own["patient_group"].map(numbers))
    check = checks.split(own, checks.fold_by_image(own, predictions), "the folds")
    assert check.level == OK
    assert f"all {len(numbers)} patient groups" in check.finding
    assert f"{(own['patient_group'].map(numbers) == 0).sum():,} in fold 1" in check.finding
    predictions.loc[predictions.index[0], "fold"] = 9
    moved = checks.split(own, checks.fold_by_image(own, predictions), "the folds")
    assert moved.level == PROBLEM


def test_of_a_set_too_small_for_a_split_nothing_is_proved(cells):
    few = labelled(cells)[labelled(cells)["patient"].isin(["20", "H2"])]
    assert checks.split(few, checks.default_split(few), "a split").level == UNKNOWN


def test_identical_pairs_are_those_planted_with_their_patients(planted, cells):
    check = checks.identical(cells)
    assert check.level == NOTE
    assert len(check.rows) == planted[0].identical_pairs
    assert f"{planted[0].identical_pairs} pairs of images" in check.finding
    assert f"{planted[0].identical_pairs} of them in every byte" in check.finding
    assert sorted(check.rows["patients"].str.replace(" ", "")) == ["20=21", "20=21", "25", "H2=H4", "H4=H5"]


def test_tied_patients_are_those_planted(planted, cells):
    check = checks.tied(cells)
    assert {tuple(sorted(names.split("+"))) for names in check.rows["patients"]} == {
        tuple(sorted(group)) for group in planted[0].tied_groups
    }
    assert check.finding.startswith("5 patients are linked into 2 groups")


def scan(cells, pairs=(), edges=None, unreadable=None):
    return near_duplicates.Scan(len(cells), list(pairs), edges or {}, unreadable or {})


def test_near_identical_pairs_tell_patients_groups_and_sides(cells):
    own = labelled(cells)
    assignment = splits.by_patient(own)
    group, path = own["patient_group"], own["path"]
    firsts = [rows.index[0] for _, rows in own.groupby(group)]
    apart = next((a, b) for a, b in combinations(firsts, 2) if assignment[a] != assignment[b])
    within = own[group == group.value_counts().index[0]].index[:2]
    pairs = [(path[a], path[b], 3, 0.999) for a, b in (within, apart)]
    check = checks.near_identical(cells, scan(cells, pairs), assignment)
    assert check.level == PROBLEM
    # Pairs in two subsets come first.
    assert check.rows["two_subsets"].tolist() == [True, False]
    assert check.rows["two_groups"].tolist() == [True, False]
    assert "pairs in two subsets of the split: 1." in check.finding
    names = " = ".join(sorted(own.loc[list(apart), "patient"], key=patient_groups.natural))
    assert check.rows["patients"].iloc[0] == names
    assert f"{names} (1)" in check.finding
    harmless = checks.near_identical(cells, scan(cells, pairs[:1]), assignment)
    assert harmless.level == NOTE
    assert checks.near_identical(cells, scan(cells), assignment).level == OK
    assert checks.near_identical(cells, None, assignment).level == UNKNOWN


def test_one_image_under_two_labels_is_a_problem(cells):
    assert checks.two_labels(cells).level == OK
    twins = cells[cells.duplicated("image_id", keep=False) & (cells["patient"] == "25")]
    changed = cells.assign(label=cells["label"].mask(cells.index == twins.index[0], "Normal"))
    check = checks.two_labels(changed)
    assert check.level == PROBLEM
    assert set(check.rows["path"]) == set(twins["path"])


def by_name(results):
    return {check.name: check for check in results}


def test_files_and_rows_are_those_planted(planted, cells):
    summary, data = planted
    results = by_name(file_checks.files(data, cells, file_checks.read_report(data)))
    assert f"{summary.absent_rows:,} rows of the labels CSV" in results["missing"].finding
    assert results["missing"].rows.empty
    assert set(results["unreadable"].rows["file"]) == set(summary.unreadable)
    assert set(results["stray"].rows["file"]) == set(summary.unlisted)
    assert results["unreadable"].rows["reason"].str.len().min() > 0


def test_what_is_missing_and_what_is_stray_is_named(planted, cells, tmp_path):
    data = shutil.copytree(planted[1], tmp_path / "data")
    lost = cells["path"].iloc[3]
    (data / lost).unlink()
    (data / "labeled_images" / "ALL" / "stray.webp").write_bytes(b"x")
    results = by_name(file_checks.files(data, cells, {}))
    assert results["missing"].level == PROBLEM
    assert results["missing"].rows["path"].tolist() == [lost]
    assert results["stray"].rows["file"].tolist() == ["labeled_images/ALL/stray.webp"]


def test_frames_and_edges(cells):
    scanned = scan(cells, edges={cells["path"].iloc[0]: 40, cells["path"].iloc[1]: 80})
    results = by_name(file_checks.frames(cells, scanned))
    assert results["frames"].level == OK
    assert results["frames"].rows.empty
    assert results["edge"].rows["path"].tolist() == cells["path"].iloc[[1, 0]].tolist()
    odd = cells.assign(width=cells["width"].where(cells.index != 2, 451))
    check = by_name(file_checks.frames(odd, None))["frames"]
    frame = f"451x{cells['height'].iloc[2]}"
    assert check.rows[["path", "frame"]].values.tolist() == [[cells["path"].iloc[2], frame]]
    assert by_name(file_checks.frames(odd, None))["edge"].level == UNKNOWN


def test_a_whole_look_at_the_drawn_set_finds_no_near_identical_pair(planted, cells):
    _, data = planted
    seen = near_duplicates.cached_or_scan(data, cells, workers=2)
    assert seen.images == len(cells)
    assert seen.pairs == []
    assert not seen.unreadable


def test_a_damaged_report_is_as_good_as_none(tmp_path):
    assert file_checks.read_report(tmp_path) == {}
    (tmp_path / "report.json").write_text("[1, 2")
    assert file_checks.read_report(tmp_path) == {}
    results = by_name(file_checks.files(tmp_path, pd.DataFrame({"path": [], "label": [], "patient": []}), {}))
    assert {check.level for check in results.values()} == {OK}


def test_every_check_says_what_it_means_and_what_was_done(planted, cells):
    own = labelled(cells)
    every = [
        checks.split(own, checks.default_split(own), "seed 0"),
        checks.identical(cells),
        checks.near_identical(cells, scan(cells), splits.by_patient(own)),
        checks.tied(cells),
        checks.two_labels(cells),
        *file_checks.files(Path(planted[1]), cells, file_checks.read_report(planted[1])),
        *file_checks.frames(cells, scan(cells)),
        file_checks.damaged(Damage({})),
    ]
    assert len({check.name for check in every}) == len(every)
    for check in every:
        for text in (check.title, check.finding, check.meaning, check.action):
            assert len(text) > 10, check.name
