import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukemia.audit import trail
from leukemia.dataset import manifest, patient_groups
from leukemia.dataset.importing import importer
from leukemia.dataset.quality import near_duplicates
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import ArchiveError, DatasetError, RecordsError
from leukemia.imaging import reader
from leukemia.imaging.cell import measure_cell
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace

PRELIMINARY = "C-NMC_Leukemia/validation_data/C-NMC_test_prelim_phase_data"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A drawn set as downloaded, and what was planted in it."""
    top = tmp_path_factory.mktemp("download") / "set"
    return top, sample_writer.write_sample(top, patients=12, cells=4, seed=2)


@pytest.fixture(scope="module")
def imported(sample, tmp_path_factory):
    """The drawn set, imported: the folder, the report and the calls of progress."""
    output = tmp_path_factory.mktemp("imported") / "data"
    calls = []
    report = importer.prepare(sample[0], output, workers=2, progress=lambda *call: calls.append(call))
    return output, report, calls


def tree(folder):
    """Relative path to content of all that a user sees in a prepared folder, but for files' dates."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and ".prepare" not in path.parts
        and not path.name.startswith("verified-")
        and "records.db" not in path.name
    }


def zipped(folder, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return target


def test_the_report_counts_what_was_planted(sample, imported):
    _, planted = sample
    _, report, calls = imported
    assert report.synthetic
    assert {label: report.count(label) for label in ("Normal", "ALL")} == planted.images
    assert {phase: sum(counts.values()) for phase, counts in report.imported.items()} == {
        **planted.sources,
        "preliminary": planted.sources["preliminary"] + len(planted.unlisted),
    }
    assert report.absent_rows == planted.absent_rows
    assert len(report.identical_pairs) == report.identical_files == planted.identical_pairs
    assert tuple(tuple(group) for group in report.tied_groups) == planted.tied_groups
    assert set(report.unreadable) == set(planted.unreadable)
    assert set(report.unlabelled_by_doubt) == set(planted.unlisted)
    assert report.patients == {label: len(names) for label, names in planted.patients.items()}
    total = sum(planted.sources.values()) + len(planted.unlisted) + len(planted.unreadable)
    assert report.found == total
    assert (total, total, "Importing") in calls
    text = "\n".join(report.lines())
    assert f"{total - 2} imported, 2 unreadable, 0 lost" in text
    assert "20 = 21 (2)" in text
    assert "20+21, H2+H4+H5" in text


def test_every_image_is_there_pixel_for_pixel_under_its_label(sample, imported):
    top, planted = sample
    output, _, _ = imported
    cells = manifest.read(output)
    assert set(cells["source"]) == {"synthetic"}
    assert cells["label"].value_counts().to_dict() == {
        **planted.images,
        "": planted.sources["final"] + len(planted.unlisted),
    }
    for row in cells.itertuples():
        original = reader.decode((top / row.origin).read_bytes())
        assert np.array_equal(np.asarray(Image.open(output / row.path)), original)
        cell = measure_cell(original)
        assert (row.image_id, row.cell_area) == (cell.image_id, cell.area)
        assert (row.width, row.height) == (cell.width, cell.height)
        folder = f"labeled_images/{row.label}/" if row.label else "unlabeled_images/"
        assert row.path.startswith(folder)
    on_disk = {path.relative_to(output).as_posix() for path in output.glob("*labeled_images/**/*.webp")}
    assert on_disk == set(cells["path"])
    assert len(on_disk) == len(cells)


def test_patients_are_read_from_names_and_tied_into_groups(sample, imported):
    cells = manifest.read(imported[0])
    for label, names in sample[1].patients.items():
        assert set(cells.loc[cells["label"] == label, "patient"]) == set(names)
    groups = cells.groupby("patient")["patient_group"].agg(set).to_dict()
    assert groups["20"] == groups["21"] == {"20+21"}
    assert groups["H2"] == groups["H4"] == groups["H5"] == {"H2+H4+H5"}
    assert (groups["25"], groups["H25"], groups["H3"]) == ({"25"}, {"H25"}, {"H3"})
    assert groups[""] == {""}


def test_the_report_is_kept_for_readers_and_pages(imported):
    output, report, _ = imported
    assert (output / "report.txt").read_text().splitlines() == report.lines()
    assert json.loads((output / "report.json").read_text())["found"] == report.found


def test_a_second_import_decodes_nothing_and_changes_nothing(sample, imported, monkeypatch):
    output, report, _ = imported
    before = tree(output)
    monkeypatch.setattr(reader, "decode", lambda data: pytest.fail("decoded again"))
    assert importer.prepare(sample[0], output, workers=2) == report
    assert tree(output) == before


def test_a_zip_gives_what_its_folder_gives(sample, imported, tmp_path):
    report = importer.prepare(zipped(sample[0], tmp_path / "set.zip"), tmp_path / "out", workers=2)
    assert report == imported[1]
    assert tree(tmp_path / "out") == tree(imported[0])
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.webp")}
    importer.prepare(tmp_path / "set.zip", tmp_path / "out", workers=2)
    assert again == {path: path.stat().st_mtime_ns for path in again}


def test_the_archives_own_layout_with_a_zip_for_each_fold_gives_the_same(sample, imported, tmp_path):
    kaggle, own = sample[0] / "C-NMC_Leukemia", tmp_path / "C-NMC 2019"
    (own / "C-NMC_training_data").mkdir(parents=True)
    for fold in (kaggle / "training_data").iterdir():
        shutil.copytree(fold, tmp_path / "one" / fold.name / fold.name)
        zipped(tmp_path / "one" / fold.name, own / "C-NMC_training_data" / f"{fold.name}.zip")
    for phase in ("validation_data", "testing_data"):
        shutil.copytree(kaggle / phase, own, dirs_exist_ok=True)
    shutil.copy(sample[0] / sample_writer.MARKER, own)
    report = importer.prepare(own, tmp_path / "out", workers=2)
    assert report.imported == imported[1].imported
    assert report.tied_groups == imported[1].tied_groups
    columns = ["image_id", "path", "label", "patient", "patient_group"]
    ours, theirs = (
        manifest.read(folder)[columns].sort_values("path").to_numpy().tolist()
        for folder in (tmp_path / "out", imported[0])
    )
    assert ours == theirs


@pytest.mark.parametrize("after", [3, 20])
def test_a_broken_off_import_leaves_the_set_alone_and_goes_on(sample, imported, tmp_path, after):
    def stop(done, total, what):
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.prepare(sample[0], tmp_path, workers=2, progress=stop)
    assert tree(tmp_path) == {}
    starts = []
    importer.prepare(sample[0], tmp_path, workers=2, progress=lambda *step: starts.append(step))
    assert min(done for done, _, what in starts if what == "Importing") >= after
    assert tree(tmp_path) == tree(imported[0])


@pytest.mark.process
def test_a_killed_import_completes_to_the_same_set(sample, imported, tmp_path):
    command = [sys.executable, "-m", "leukemia", "prepare", str(sample[0]), "--output", str(tmp_path)]
    for _ in range(3):
        process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        journal, size = Workspace(tmp_path).staging / importer.JOURNAL, 0
        until = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < until:
            grown = journal.stat().st_size if journal.exists() else 0
            if grown > size + 2_000:
                process.kill()
            time.sleep(0.005)
        process.wait()
    # A kill may tear the line that was being written.
    with journal.open("a") as file:
        file.write('{"path": "labeled_im')
    importer.prepare(sample[0], tmp_path, workers=2)
    assert tree(tmp_path) == tree(imported[0])


@pytest.mark.slow
def test_a_kill_between_the_moves_and_the_manifest_is_made_good(sample, imported, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest, "write", killed)
        importer.prepare(sample[0], tmp_path, workers=2)
    importer.prepare(sample[0], tmp_path, workers=2)
    assert tree(tmp_path) == tree(imported[0])


def test_a_source_that_changed_replaces_what_it_gave(sample, tmp_path):
    top = shutil.copytree(sample[0], tmp_path / "set")
    importer.prepare(top, tmp_path / "out", workers=2)
    before = manifest.read(tmp_path / "out")
    (tmp_path / "out" / "labeled_images" / "ALL" / "my notes.txt").write_text("mine")
    gone, changed = before.loc[before["label"] == "ALL", "origin"].iloc[[0, 1]]
    (top / gone).unlink()
    drawing = sample_writer.draw_cell(np.random.default_rng(99), "ALL")
    (top / changed).write_bytes(sample_writer.encode(drawing, "BMP"))
    importer.prepare(top, tmp_path / "out", workers=2)
    after = manifest.read(tmp_path / "out")
    assert set(before["origin"]) - set(after["origin"]) == {gone}
    row = after.set_index("origin").loc[changed]
    assert row["image_id"] == measure_cell(drawing).image_id
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / row["path"])), drawing)
    assert not (tmp_path / "out" / before.set_index("origin").loc[gone, "path"]).exists()
    assert (tmp_path / "out" / "labeled_images" / "ALL" / "my notes.txt").exists()


def test_a_full_disk_leaves_the_set_as_it_was(sample, tmp_path, monkeypatch):
    importer.prepare(sample[0], tmp_path, workers=2)
    before = tree(tmp_path)
    changed = shutil.copytree(sample[0], tmp_path.with_name("changed"))
    for path in changed.rglob("UID_20_*.bmp"):
        path.write_bytes(
            sample_writer.encode(sample_writer.draw_cell(np.random.default_rng(1), "ALL"), "BMP")
        )

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("leukemia.storage.atomic._neighbour", full)
        importer.prepare(changed, tmp_path, workers=2)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["manifest.csv", "report.json", "report.txt"])
def test_a_file_of_other_programs_is_not_replaced(sample, tmp_path, name):
    (tmp_path / name).write_text("title,page\nWard book,3\n")
    with pytest.raises(DatasetError, match=f"{name} exists and was not written by this program"):
        importer.prepare(sample[0], tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_two_imports_into_one_folder_do_not_meet(sample, tmp_path):
    def second(done, *_):
        if done == 1:
            with pytest.raises(ArchiveError, match="Another import is writing"):
                importer.prepare(sample[0], tmp_path, workers=1)

    importer.prepare(sample[0], tmp_path, workers=2, progress=second)
    importer.prepare(sample[0], tmp_path, workers=2)


def test_two_files_of_one_name_are_both_kept(tmp_path):
    rng = np.random.default_rng(0)
    for number, top in enumerate(("a", "b", "c")):
        folder = tmp_path / "set" / top / "fold_0" / ("all", "all", "hem")[number]
        folder.mkdir(parents=True)
        name = ("UID_1_1_1_all", "UID_1_1_1_all", "UID_H1_1_1_hem")[number]
        (folder / f"{name}.bmp").write_bytes(sample_writer.encode(sample_writer.draw_cell(rng, "ALL"), "BMP"))
    importer.prepare(tmp_path / "set", tmp_path / "out", workers=2)
    paths = sorted(manifest.read(tmp_path / "out")["path"])
    assert paths == [
        "labeled_images/ALL/fold_0-UID_1_1_1_all-(2).webp",
        "labeled_images/ALL/fold_0-UID_1_1_1_all.webp",
        "labeled_images/Normal/fold_0-UID_H1_1_1_hem.webp",
    ]


@pytest.mark.slow
def test_a_near_identical_image_ties_two_patients(sample, tmp_path):
    source = shutil.copytree(sample[0], tmp_path / "set")
    before = importer.prepare(source, tmp_path / "before", workers=2)
    cells = manifest.read(tmp_path / "before")
    alone = cells[(cells["label"] == "ALL") & ~cells["patient_group"].str.contains("+", regex=False)]
    one, other = [rows.iloc[0] for _, rows in alone.groupby("patient")][:2]
    picture = reader.decode((source / one.origin).read_bytes())
    brighter = np.where(picture > 0, np.minimum(picture.astype(int) + 6, 255), 0).astype(np.uint8)
    (source / other.origin).write_bytes(sample_writer.encode(brighter, Path(other.origin).suffix[1:].upper()))

    report = importer.prepare(source, tmp_path / "after", workers=2)
    names = sorted((one.patient, other.patient), key=patient_groups.natural)
    assert report.near_pairs_by_patients == {" = ".join(names): 1}
    assert names in report.patient_groups
    assert report.tied_groups == before.tied_groups == before.patient_groups
    cells = manifest.read(tmp_path / "after")
    assert set(cells.loc[cells["patient"].isin(names), "patient_group"]) == {"+".join(names)}
    # The look that the Checks section shows is kept with it.
    assert len(near_duplicates.cached(tmp_path / "after", cells).pairs) == 1


def test_what_cannot_be_read_at_all_is_no_set(tmp_path):
    folder = tmp_path / "set" / "fold_0" / "all"
    folder.mkdir(parents=True)
    (folder / "UID_1_1_1_all.bmp").write_bytes(b"no picture")
    with pytest.raises(ArchiveError, match="None of the 1 images can be read"):
        importer.prepare(tmp_path / "set", tmp_path / "out", workers=1)
    assert not Workspace(tmp_path / "out").manifest.exists()


def test_an_import_of_one_class_says_that_nothing_can_be_trained(tmp_path):
    folder = tmp_path / "set" / "fold_0" / "all"
    folder.mkdir(parents=True)
    cell = sample_writer.draw_cell(np.random.default_rng(0), "ALL")
    (folder / "UID_1_1_1_all.bmp").write_bytes(sample_writer.encode(cell, "BMP"))
    (folder / "UID_1_1_2_all.bmp").write_bytes(
        sample_writer.encode(np.full((450, 450, 3), 90, np.uint8), "BMP")
    )
    report = importer.prepare(tmp_path / "set", tmp_path / "out", workers=1)
    assert "No image is labelled Normal" in report.lines()[-1]
    assert list(report.refused_by_classifier) == ["fold_0/all/UID_1_1_2_all.bmp"]
    assert report.patients == {"Normal": 0, "ALL": 1}


def test_an_import_is_on_record_and_one_that_changes_nothing_is_not(sample, imported):
    output = imported[0]
    (entry,) = trail.entries(output)
    assert (entry.event, entry.old, entry.new) == (
        trail.IMPORTED,
        "",
        manifest.fingerprint(manifest.read(output)),
    )
    importer.prepare(sample[0], output, workers=2)
    assert len(trail.entries(output)) == 1


def test_an_import_that_cannot_be_put_on_record_changes_nothing(sample, tmp_path, monkeypatch):
    def fail(*_):
        raise RecordsError("the disk is full")

    monkeypatch.setattr(trail, "append", fail)
    with pytest.raises(RecordsError, match="the disk is full"):
        importer.prepare(sample[0], tmp_path / "data", workers=2)
    assert not (tmp_path / "data" / "manifest.csv").exists()
    monkeypatch.undo()
    importer.prepare(sample[0], tmp_path / "data", workers=2)
    assert len(trail.entries(tmp_path / "data")) == 1
