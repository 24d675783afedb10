import csv
import hashlib
import time
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import ArchiveError, ImageError
from leukemia.imaging import reader, validate
from leukemia.imaging.cell import crop_cell, measure_cell

PATIENTS, CELLS, SEED = 12, 6, 5
TRAINING = "C-NMC_Leukemia/training_data"
PRELIMINARY = "C-NMC_Leukemia/validation_data/C-NMC_test_prelim_phase_data"
FINAL = "C-NMC_Leukemia/testing_data/C-NMC_test_final_phase_data"


@pytest.fixture(scope="module")
def cells():
    """Sixty cells of each class, each of a patient of its own, as measured."""
    rng = np.random.default_rng(11)
    return {
        label: [measure_cell(sample_writer.draw_cell(rng, label)) for _ in range(60)]
        for label in ("Normal", "ALL")
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A small drawn set: its folder, what was planted, and the calls of progress."""
    dest = tmp_path_factory.mktemp("sample") / "set"
    calls = []
    summary = sample_writer.write_sample(
        dest, patients=PATIENTS, cells=CELLS, seed=SEED, progress=lambda *call: calls.append(call)
    )
    return dest, summary, calls


def files(dest):
    return {path.relative_to(dest).as_posix(): path for path in dest.rglob("*.bmp")}


def rows(dest):
    with (dest / f"{PRELIMINARY}_labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def patient(path):
    """The patient that a training file's name gives, healthy ones with a capital H."""
    return path.rsplit("/", 1)[1].split("_")[1].upper()


def test_every_drawn_cell_is_one_that_can_be_answered(cells):
    for cell in cells["Normal"] + cells["ALL"]:
        validate.check_single_cell(cell)
        assert cell.pixels.shape == (450, 450, 3)
        assert cell.pixels.dtype == np.uint8


def test_the_background_is_exactly_black_and_the_cell_is_in_one_piece(cells):
    for cell in cells["Normal"][:20] + cells["ALL"][:20]:
        stained = cell.pixels.any(axis=2)
        assert np.array_equal(stained, cell.pixels.all(axis=2)), "a pixel is stained or black"
        _, pieces = ndimage.label(stained)
        assert pieces == 1
        assert not stained[[0, -1]].any()
        assert not stained[:, [0, -1]].any()


def test_blasts_are_larger_but_sizes_overlap(cells):
    areas = {label: np.array([cell.area for cell in drawn]) for label, drawn in cells.items()}
    assert 23_000 < areas["Normal"].mean() < 30_000
    assert 34_000 < areas["ALL"].mean() < 43_000
    truth = np.repeat([0, 1], 60)
    assert 0.7 < roc_auc_score(truth, np.concatenate([areas["Normal"], areas["ALL"]])) < 0.92


def test_the_stain_is_purple_and_blasts_have_the_finer_chromatin(cells):
    fine = {}
    for label, drawn in cells.items():
        middles = [crop_cell(cell, 64).astype(float) for cell in drawn]
        red, green, blue = np.mean(middles, axis=(0, 1, 2))
        assert 15 < green < 40 < red < blue < 110
        grey = [middle.mean(axis=2) for middle in middles]
        bands = [ndimage.gaussian_filter(g, 1.2) - ndimage.gaussian_filter(g, 3) for g in grey]
        fine[label] = np.mean([band[8:-8, 8:-8].std() for band in bands])
    assert fine["ALL"] > 1.2 * fine["Normal"] > 0.2


def test_a_patients_look_is_shared_by_its_cells():
    def mean(look, seed):
        return sample_writer.draw_cell(np.random.default_rng(seed), "ALL", patient=look)[
            205:245, 205:245
        ].mean()

    def area(look, seed):
        return measure_cell(sample_writer.draw_cell(np.random.default_rng(seed), "ALL", patient=look)).area

    dim, bright = sample_writer.Appearance(brightness=0.8), sample_writer.Appearance(brightness=1.2)
    small, large = sample_writer.Appearance(size=0.8), sample_writer.Appearance(size=1.2)
    for seed in range(5):
        assert mean(bright, seed) / mean(dim, seed) == pytest.approx(1.5, rel=0.03)
        assert area(large, seed) / area(small, seed) == pytest.approx(1.5, rel=0.03)


def test_a_larger_frame_adds_black_and_leaves_the_magnification():
    narrow, wide = (
        sample_writer.draw_cell(np.random.default_rng(1), "ALL", frame=side) for side in (450, 600)
    )
    assert np.array_equal(wide[75:525, 75:525], narrow)
    assert np.count_nonzero(wide) == np.count_nonzero(narrow)


def test_a_frame_smaller_than_the_cell_cuts_it():
    small, whole = (
        sample_writer.draw_cell(np.random.default_rng(1), "ALL", frame=side) for side in (100, 450)
    )
    assert np.array_equal(small, whole[175:275, 175:275])


@pytest.mark.parametrize("format", ["BMP", "PNG", "TIFF"])
def test_encoded_pixels_come_back(format):
    pixels = sample_writer.draw_cell(np.random.default_rng(2), "Normal")
    assert np.array_equal(reader.decode(sample_writer.encode(pixels, format)), pixels)


def test_sample_cells_are_quick_named_synthetic_and_can_be_answered():
    sample_writer.sample_cells(1)
    start = time.process_time()
    drawn = sample_writer.sample_cells()
    assert time.process_time() - start < 0.6, "a click on the page waits for this"
    assert [name for name, _ in drawn[:2]] == ["synthetic_ALL_01.png", "synthetic_Normal_02.png"]
    assert (
        len({name for name, _ in drawn})
        == len({validate.open_cell(data).image_id for _, data in drawn})
        == 12
    )
    assert drawn == sample_writer.sample_cells()
    assert drawn[0][1] != sample_writer.sample_cells(1, seed=1)[0][1]


def test_the_set_lies_as_the_real_one_does(sample):
    dest, summary, _ = sample
    assert {path.name for path in dest.iterdir()} == {"C-NMC_Leukemia", sample_writer.MARKER}
    assert "A program drew every image" in (dest / sample_writer.MARKER).read_text()
    counts = defaultdict(int)
    for path in files(dest).keys() - set(summary.unreadable) - set(summary.unlisted):
        parts = path.split("/")
        source = {"training_data": parts[2], "validation_data": "preliminary", "testing_data": "final"}
        counts[source[parts[1]]] += 1
        if parts[1] == "training_data":
            assert parts[4].startswith("UID_")
            assert parts[4].endswith(f"_{parts[3]}.bmp")
            assert (patient(path)[0] == "H") == (parts[3] == "hem")
    assert counts == summary.sources
    assert sum(summary.images.values()) == PATIENTS * CELLS == sum(counts.values()) - counts["final"]


def test_each_file_can_be_read_but_those_said_not_to(sample):
    dest, summary, _ = sample
    refused = {"empty": 0, "damaged": 0}
    for path, file in files(dest).items():
        try:
            cell = validate.open_cell(file.read_bytes())
        except ImageError as error:
            assert path in summary.unreadable
            refused["empty" if "empty" in str(error) else "damaged"] += 1
        else:
            assert cell.width == cell.height == (600 if path.startswith(FINAL) else 450)
            assert path not in summary.unreadable
    assert refused == {"empty": 1, "damaged": 1}


def test_patients_are_those_of_the_names(sample):
    dest, summary, _ = sample
    named = {patient(path) for path in files(dest) if path.startswith(TRAINING)}
    named |= {row["Patient_ID"].split("_")[1].upper() for row in rows(dest)}
    assert named == {*summary.patients["Normal"], *summary.patients["ALL"]}
    assert len(named) == PATIENTS
    assert {"25", "H25"} <= named
    names = [path.rsplit("/", 1)[1] for path in files(dest)]
    assert any(name.startswith("UID_h3_") for name in names)
    assert not any(name.startswith("UID_H3_") for name in names)


def test_identical_files_are_those_planted(sample):
    dest, summary, _ = sample
    same = defaultdict(list)
    for path, file in files(dest).items():
        same[hashlib.sha256(file.read_bytes()).hexdigest()].append(path)
    pairs = [pair for paths in same.values() for pair in combinations(paths, 2)]
    assert len(pairs) == summary.identical_pairs == 5
    people = sorted(tuple(sorted({patient(path) for path in pair})) for pair in pairs)
    assert people == [("20", "21"), ("20", "21"), ("25",), ("H2", "H4"), ("H4", "H5")]
    assert summary.tied_groups == (("20", "21"), ("H2", "H4", "H5"))


def test_labels_name_absent_files_and_one_file_has_no_label(sample):
    dest, summary, _ = sample
    listed = {row["new_names"]: row for row in rows(dest)}
    present = {path.rsplit("/", 1)[1] for path in files(dest) if path.startswith(PRELIMINARY)}
    assert len(listed.keys() - present) == summary.absent_rows > 0
    assert {f"{PRELIMINARY}/{name}" for name in present - listed.keys()} == set(summary.unlisted)
    assert {row["labels"] for row in listed.values()} == {"0", "1"}
    for row in listed.values():
        assert row["Patient_ID"].endswith({"0": "_hem.bmp", "1": "_all.bmp"}[row["labels"]])


def test_progress_ends_at_the_end(sample):
    _, summary, calls = sample
    total = sum(summary.sources.values()) + len(summary.unlisted)
    assert calls[0] == (0, total, "Drawing")
    assert calls[-1] == (total, total, "Drawing")


def test_the_same_seed_writes_the_same_bytes(sample, tmp_path):
    dest, summary, _ = sample
    again = sample_writer.write_sample(tmp_path / "again", patients=PATIENTS, cells=CELLS, seed=SEED)
    assert again == summary
    first, second = files(dest), files(tmp_path / "again")
    assert {p: f.read_bytes() for p, f in first.items()} == {p: f.read_bytes() for p, f in second.items()}


def test_without_faults_every_file_can_be_read(tmp_path):
    summary = sample_writer.write_sample(tmp_path / "a", patients=12, cells=3, faults=False)
    assert summary.unreadable == ()
    for file in files(tmp_path / "a").values():
        validate.open_cell(file.read_bytes())


def test_healthy_cells_are_small_in_two_folds_and_not_in_the_third(tmp_path):
    sample_writer.write_sample(tmp_path / "a", patients=30, cells=4, faults=False)

    def area(*folds):
        pictures = [p for fold in folds for p in (tmp_path / "a" / TRAINING / fold / "hem").iterdir()]
        return np.mean([validate.open_cell(path.read_bytes()).area for path in pictures])

    assert area("fold_2") > 1.12 * area("fold_0", "fold_1")


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(ArchiveError, match="not an empty folder"):
        sample_writer.write_sample(tmp_path)
    with pytest.raises(ArchiveError, match="not an empty folder"):
        sample_writer.write_sample(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("asked", [{"patients": 11}, {"cells": 2}, {"seed": -1}])
def test_numbers_out_of_bounds_are_refused(tmp_path, asked):
    with pytest.raises(ArchiveError, match="at least 12 patients"):
        sample_writer.write_sample(tmp_path / "a", **asked)
    assert not list(tmp_path.iterdir())


def test_a_broken_off_writing_leaves_nothing(tmp_path):
    def stop(done, total, what):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_writer.write_sample(tmp_path / "deep" / "set", patients=12, cells=3, progress=stop)
    assert not list((tmp_path / "deep").iterdir())


def test_an_empty_folder_is_taken(tmp_path):
    sample_writer.write_sample(tmp_path, patients=12, cells=3)
    assert (tmp_path / sample_writer.MARKER).exists()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
