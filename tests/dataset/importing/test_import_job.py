"""Imports through the job, as the page starts them: what comes in, and what bad input leaves behind."""

import os
import shutil
import time
import zipfile

import pytest

from leukemia import jobs
from leukemia.dataset import label_log, manifest
from leukemia.dataset.synthetic import sample_writer
from leukemia.settings import PROJECT

pytestmark = pytest.mark.process

FOLD = "C-NMC_Leukemia/training_data/fold_0"
CSV = "C-NMC_Leukemia/validation_data/C-NMC_test_prelim_phase_data_labels.csv"


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    """A drawn set in C-NMC's layout, and what was planted in it."""
    folder = tmp_path_factory.mktemp("download") / "set"
    return folder, sample_writer.write_sample(folder, patients=12, cells=4)


@pytest.fixture
def own(download, tmp_path):
    """A copy of the drawn set that a test may damage."""
    return shutil.copytree(download[0], tmp_path / "set")


@pytest.fixture(scope="module")
def imported(download, tmp_path_factory):
    data = tmp_path_factory.mktemp("imported")
    assert run(data, download[0]).status == "done"
    return data


@pytest.fixture
def data(imported, tmp_path):
    """A prepared folder of its own: what an import that fails must leave alone."""
    return shutil.copytree(imported, tmp_path / "data")


def start(data, source):
    arguments = ["prepare", *([str(source)] if source else ["--sample"]), "--output", str(data)]
    return jobs.submit(data, "import", "Import", arguments)


def run(data, source):
    return ended(start(data, source))


def ended(job, seconds=300):
    until = time.monotonic() + seconds
    while time.monotonic() < until and (state := jobs.state(job)).active:
        time.sleep(0.1)
    assert not state.active, jobs.log_tail(job)
    return state


def content(data):
    """Every image, table and report of a prepared folder, by name."""
    own = [data / "manifest.csv", data / "report.json", data / "report.txt"]
    for folder in ("labeled_images", "unlabeled_images"):
        own += sorted((data / folder).rglob("*.webp"))
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in own}


def test_the_counts_that_the_job_tells_are_those_planted(download, imported):
    planted = download[1]
    state = jobs.state(jobs.latest(imported, "import"))
    cells = manifest.read(imported)
    assert state.counts["ALL"] == planted.images["ALL"] == (cells["label"] == "ALL").sum()
    assert state.counts["Normal"] == planted.images["Normal"] == (cells["label"] == "Normal").sum()
    assert state.counts["unlabelled"] == planted.sources["final"] + len(planted.unlisted)
    assert state.counts["unreadable"] == len(planted.unreadable)
    assert sum(state.counts.values()) - state.counts["unreadable"] == len(cells)
    told = "\n".join(state.problems)
    for path in (*planted.unreadable, *planted.unlisted):
        assert f"{path}: " in told
    assert any("patients with ALL" in line for line in state.imported.report)


def test_a_job_reads_nothing_through_a_link_out_of_the_open_folders(own, tmp_path, monkeypatch):
    inside = next((own / FOLD / "all").glob("*.bmp"))
    secret = tmp_path / "elsewhere" / "UID_99_1_1_all.bmp"
    secret.parent.mkdir()
    shutil.copyfile(inside, secret)
    (own / FOLD / "all" / secret.name).symlink_to(secret)
    # As somebody wrote it who starts the program in this folder; a job works in another one.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", "set")
    state = run(tmp_path / "data", own)
    assert state.status == "done", state
    assert "99" not in set(manifest.read(tmp_path / "data")["patient"])
    told = "\n".join(state.imported.report)
    assert f"{FOLD}/all/{secret.name}" in told and "leads out of the folders" in told
    assert str(secret.parent) not in told


def test_a_cancelled_import_leaves_the_set_as_it_was_and_goes_on(data, tmp_path):
    other = tmp_path / "other"
    sample_writer.write_sample(other, patients=12, cells=12, seed=5)
    before = content(data)
    job = start(data, other)
    until = time.monotonic() + 300
    while time.monotonic() < until and jobs.state(job).done < 10:
        time.sleep(0.02)
    jobs.cancel(job)
    state = ended(job)
    assert state.status == "stopped"
    assert 0 < state.done < state.total
    assert content(data) == before
    assert ended(jobs.resubmit(job)).status == "done"
    assert content(data) != before
    assert len(manifest.read(data)) > len(before)


def test_the_sample_set_comes_in_whole_and_its_drawing_goes(tmp_path, monkeypatch):
    small = "import leukemia.dataset.synthetic.sample_writer as s\nfull = s.write_sample\n"
    small += "s.write_sample = lambda dest, **more: full(dest, patients=12, cells=4, **more)\n"
    patched(small, tmp_path, monkeypatch)
    state = run(tmp_path / "data", None)
    assert state.status == "done", state
    cells = manifest.read(tmp_path / "data")
    assert set(cells["source"]) == {"synthetic"}
    assert not (tmp_path / "data" / ".prepare" / "sample").exists()


def test_corrections_are_kept_with_their_images_over_an_import(data, download):
    image_id = manifest.read(data).query("label == 'Normal'")["image_id"].iloc[0]
    label_log.correct(data, image_id, "ALL", who="Dr. Ada", reason="Chromatin")
    assert run(data, download[0]).status == "done"
    cells = label_log.apply(data, manifest.read(data))
    assert set(cells.loc[cells["image_id"] == image_id, "label"]) == {"ALL"}


def not_cnmc(own):
    shutil.rmtree(own)
    (own / "holiday").mkdir(parents=True)
    (own / "holiday" / "beach.jpg").write_bytes(b"\xff\xd8\xff")
    return own


def absolute(own):
    return zipped(own, "/etc/cron.d/evil.bmp")


def climbing(own):
    return zipped(own, "C-NMC_Leukemia/../../../evil.bmp")


def bomb(own):
    """Names as they should be, a few kilobytes in all, and 64 MB a file when unpacked."""
    return zipped(own.with_name("bomb"), f"{FOLD}/all/UID_1_1_1_all.bmp", bytes(64 * 1024**2))


def unknown_columns(own):
    (own / CSV).write_text("Patient_ID,new_names,diagnosis\nUID_1_1_1_all.bmp,1.bmp,1\n")
    return own


def unknown_label(own):
    (own / CSV).write_text("Patient_ID,new_names,labels\nUID_1_1_1_all.bmp,1.bmp,2\n")
    return own


def two_rows(own):
    rows = "Patient_ID,new_names,labels\nUID_1_1_1_all.bmp,1.bmp,1\nUID_H1_1_1_hem.bmp,1.bmp,0\n"
    (own / CSV).write_text(rows)
    return own


def half_a_zip(own):
    whole = zipped(own, f"{FOLD}/notes.txt")
    half = own.with_name("half.zip")
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return half


def gone(own):
    shutil.rmtree(own)
    return own


def zipped(folder, name, inside=b"evil"):
    target = folder.with_name("set.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.bmp"))[:20]:
            archive.write(path, path.relative_to(folder))
        archive.writestr(name, inside)
    return target


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (not_cnmc, "not a C-NMC 2019 download"),
        (absolute, "set.zip contains a path that leads outside it: '/etc/cron.d/evil.bmp'"),
        (climbing, "set.zip contains a path that leads outside it: 'C-NMC_Leukemia/../../../evil.bmp'"),
        (bomb, "None of the 1 images can be read. The first: The file is larger than 20 MB"),
        (unknown_columns, "lacks columns:"),
        (unknown_label, "line 2: the label is '2'; it must be 1 (ALL) or 0 (normal)"),
        (two_rows, "has two different rows for 1.bmp"),
        (half_a_zip, "half.zip is neither a folder nor a complete .zip file"),
        (gone, "No such file or folder"),
    ],
)
def test_bad_input_is_a_sentence_and_the_set_is_as_it_was(data, own, spoil, says):
    before = content(data)
    state = run(data, spoil(own))
    assert state.status == "failed"
    assert says in state.message
    assert "Traceback" not in jobs.log_tail(jobs.latest(data, "import"))
    assert content(data) == before


def test_a_full_disk_is_a_sentence_the_set_is_as_it_was_and_the_import_goes_on(
    data, own, tmp_path, monkeypatch
):
    # Other bytes than those in place, so that there is something to write.
    from PIL import Image

    for path in list(own.rglob("*all.bmp"))[:12]:
        if path.stat().st_size > 600_000:
            Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
    before = content(data)
    with monkeypatch.context() as patch:
        full = (
            "import pathlib\nwrite, written = pathlib.Path.write_bytes, []\n"
            "def fail(path, content):\n"
            "    written.append(path)\n"
            "    if len(written) > 5: raise OSError(28, 'No space left on device')\n"
            "    return write(path, content)\n"
            "pathlib.Path.write_bytes = fail\n"
        )
        patched(full, tmp_path, patch)
        job = start(data, own)
        state = ended(job)
    assert state.status == "failed"
    assert state.message.startswith("The disk is full.")
    assert content(data) == before
    assert ended(jobs.resubmit(job)).status == "done"
    assert content(data) != before


def test_a_file_that_changes_while_it_is_read_is_named_and_left_out(own, tmp_path, monkeypatch):
    changing = sorted((own / FOLD).rglob("*_all.bmp"))[0]
    code = (
        "from leukemia.storage import files\nread = files.read\n"
        f"files.read = lambda path, most: read(path, most) + b'x' * (path.name == {changing.name!r})\n"
    )
    patched(code, tmp_path, monkeypatch)
    state = run(tmp_path / "data", own)
    assert state.status == "done"
    (told,) = [line for line in state.problems if changing.name in line]
    assert told.endswith("The file changed while it was being read.")
    assert changing.relative_to(own).as_posix() not in set(manifest.read(tmp_path / "data")["origin"])


def test_two_files_with_one_name_both_come_in_under_names_of_their_own(own, tmp_path):
    first = sorted((own / FOLD).rglob("*_all.bmp"))[0]
    twin = own / "again" / "fold_0" / "all" / first.name
    twin.parent.mkdir(parents=True)
    others = [path for path in sorted((own / FOLD).rglob("*_all.bmp")) if path != first]
    shutil.copyfile(others[0], twin)
    state = run(tmp_path / "data", own)
    assert state.status == "done"
    cells = manifest.read(tmp_path / "data")
    named = cells[cells["origin"].str.endswith(first.name)]
    assert len(named) == 2
    assert named["path"].nunique() == 2
    assert all((tmp_path / "data" / path).is_file() for path in named["path"])


def patched(code, tmp_path, monkeypatch):
    """Have the job's process run some code before anything else."""
    folder = tmp_path / "patch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{PROJECT}")
