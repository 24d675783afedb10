import contextlib
import shutil
import sqlite3
import threading

import pytest

from leukemia.audit import trail
from leukemia.dataset import label_log, manifest, old_label_log, training_set
from leukemia.dataset.label_log import DOUBTED
from leukemia.errors import CorrectionError, DatasetError
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support import read_only

BY = {"who": "Dr. Ada", "reason": "Chromatin of a blast"}


@pytest.fixture
def data(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data")


@pytest.fixture
def normal(data):
    cells = manifest.read(data)
    return cells.loc[cells["label"] == "Normal", "image_id"].iloc[0]


def row_of(data, image_id):
    cells = label_log.apply(data, manifest.read(data))
    return cells[cells["image_id"] == image_id].iloc[0]


def test_a_corrected_label_counts_and_the_original_is_kept(data, normal):
    before = manifest.read(data)
    made = label_log.correct(data, normal, "ALL", **BY)
    assert (made.original, made.old, made.new, made.who, made.reason) == (
        "Normal",
        "Normal",
        "ALL",
        *BY.values(),
    )
    row = row_of(data, normal)
    assert (row["label"], row["original_label"], row["doubted"]) == ("ALL", "Normal", False)
    assert manifest.read(data).equals(before)
    others = label_log.apply(data, before)
    assert (others["label"] != before["label"]).sum() == 1


def test_a_doubted_label_is_marked_and_stays_as_it_was(data, normal):
    label_log.correct(data, normal, DOUBTED, **BY)
    row = row_of(data, normal)
    assert (row["label"], row["doubted"]) == ("Normal", True)


def test_undo_is_a_further_row_and_restores_what_counted(data, normal):
    label_log.correct(data, normal, DOUBTED, **BY)
    second = label_log.correct(data, normal, "ALL", **BY)
    back = label_log.undo(data, second.number, who="Dr. Bo", reason="A mistake")
    assert (back.new, back.undoes, back.who) == (DOUBTED, second.number, "Dr. Bo")
    assert row_of(data, normal)["doubted"]
    assert [row.new for row in label_log.history(data, normal)] == [DOUBTED, "ALL", DOUBTED]


def test_only_the_last_change_of_an_image_can_be_undone(data, normal):
    first = label_log.correct(data, normal, DOUBTED, **BY)
    label_log.correct(data, normal, "ALL", **BY)
    with pytest.raises(CorrectionError, match="Only its last change"):
        label_log.undo(data, first.number, **BY)
    with pytest.raises(CorrectionError, match="no correction number 99"):
        label_log.undo(data, 99, **BY)


def test_back_at_the_original_nothing_counts_as_corrected(data, normal):
    made = label_log.correct(data, normal, "ALL", **BY)
    assert set(label_log.current(data)) == {normal}
    label_log.undo(data, made.number, **BY)
    assert label_log.current(data) == {}
    assert len(label_log.history(data)) == 2


@pytest.mark.parametrize("new", ["blast", "", "all", "hem", "1"])
def test_labels_other_than_normal_and_all_cannot_be_entered(data, normal, new):
    with pytest.raises(CorrectionError, match="can be Normal, ALL or doubted"):
        label_log.correct(data, normal, new, **BY)
    assert label_log.history(data) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"who": "  "}, "your name"),
        ({"reason": "\n"}, "a reason"),
        ({"who": "x" * 201}, "at most 200"),
        ({"reason": "x" * 2_001}, "at most 2,000"),
    ],
)
def test_a_name_and_a_reason_are_needed(data, normal, changes, says):
    with pytest.raises(CorrectionError, match=says):
        label_log.correct(data, normal, "ALL", **(BY | changes))
    assert label_log.history(data) == []


def test_what_is_no_change_unknown_or_unlabelled_is_refused(data, normal):
    cells = manifest.read(data)
    with pytest.raises(CorrectionError, match="is already Normal"):
        label_log.correct(data, normal, "Normal", **BY)
    with pytest.raises(CorrectionError, match="not in the set"):
        label_log.correct(data, "0" * 64, "ALL", **BY)
    with pytest.raises(CorrectionError, match="came without a label"):
        label_log.correct(data, cells.loc[cells["label"] == "", "image_id"].iloc[0], "ALL", **BY)


def test_a_reviewer_who_saw_another_label_is_told(data, normal):
    label_log.correct(data, normal, DOUBTED, old="Normal", **BY)
    with pytest.raises(CorrectionError, match="The label was changed to doubted in the meantime"):
        label_log.correct(data, normal, "ALL", old="Normal", **BY)


def test_the_database_refuses_to_change_or_delete_a_row(data, normal):
    label_log.correct(data, normal, "ALL", **BY)
    with sqlite3.connect(Workspace(data).records) as file:
        for statement in ("UPDATE corrections SET who = 'x'", "DELETE FROM corrections"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                file.execute(statement)
    assert label_log.history(data)[0].who == "Dr. Ada"


def test_of_many_at_once_each_row_follows_the_one_before(data, normal):
    refused = []

    def flip(number):
        try:
            label_log.correct(data, normal, ("ALL", "Normal")[number % 2], **BY)
        except CorrectionError as error:
            refused.append(error)

    threads = [threading.Thread(target=flip, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = label_log.history(data)[::-1]
    assert len(rows) + len(refused) == 12
    counted = "Normal"
    for row in rows:
        assert row.old == counted != row.new
        counted = row.new


def test_the_fingerprint_of_the_data_changes_with_a_correction_and_comes_back(data, normal):
    def fingerprint():
        return manifest.fingerprint(label_log.apply(data, manifest.read(data)))

    before = fingerprint()
    made = label_log.correct(data, normal, "ALL", **BY)
    assert fingerprint() != before
    label_log.undo(data, made.number, **BY)
    assert fingerprint() == before


def test_reading_makes_no_file_and_the_stamp_tells_states_apart(data, normal):
    assert label_log.stamp(data) == 0
    assert not label_log.apply(data, manifest.read(data))["doubted"].any()
    assert not Workspace(data).records.exists()
    label_log.correct(data, normal, "ALL", **BY)
    assert label_log.stamp(data) == 1


def test_a_damaged_log_is_a_sentence(data, normal):
    Workspace(data).records.write_bytes(b"not a database" * 100)
    with pytest.raises(DatasetError, match=r"cannot be read.*damaged"):
        label_log.current(data)
    with pytest.raises(DatasetError, match=r"cannot be written.*damaged"):
        label_log.correct(data, normal, "ALL", **BY)


def test_each_change_is_an_entry_of_the_trail(data, normal):
    made = label_log.correct(data, normal, "ALL", **BY)
    label_log.undo(data, made.number, who="Dr. Bo", reason="A mistake")
    undone, corrected = trail.entries(data)
    assert (corrected.event, corrected.who, corrected.old, corrected.new) == (
        trail.CORRECTED,
        "Dr. Ada",
        "Normal",
        "ALL",
    )
    assert (undone.event, undone.who, undone.new, undone.reason) == (
        trail.CORRECTION_UNDONE,
        "Dr. Bo",
        "Normal",
        "A mistake",
    )
    assert corrected.image_id == undone.image_id == normal


@pytest.fixture
def old_log(data, normal):
    """The log as an earlier program kept it; returns how to append a row."""
    file = Workspace(data).corrections
    with contextlib.closing(sqlite3.connect(file)) as old, old:
        old.execute(
            "CREATE TABLE corrections (number INTEGER PRIMARY KEY, image_id TEXT, at TEXT, who TEXT, "
            "reason TEXT, original TEXT, old TEXT, new TEXT, undoes INTEGER)"
        )

    def append(number, old_label, new, undoes=None):
        row = (number, normal, f"2025-01-0{number}T10:00:00+00:00", "Dr. Old", f"reason {number}", "Normal")
        with contextlib.closing(sqlite3.connect(file)) as old, old:
            old.execute(
                "INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, old_label, new, undoes)
            )

    return append


def test_a_log_of_an_earlier_program_is_brought_over_once_in_order(data, normal, old_log):
    old_log(1, "Normal", "ALL")
    old_log(3, "ALL", "Normal", undoes=1)
    assert [(row.number, row.new, row.undoes) for row in label_log.history(data)] == [
        (3, "Normal", 1),
        (1, "ALL", None),
    ]
    assert label_log.history(data)[1].at == "2025-01-01T10:00:00+00:00"
    label_log.correct(data, normal, "ALL", **BY)
    # The earlier program was used once more, in between.
    old_log(4, "Normal", DOUBTED)
    old_label_log._done.clear()
    assert [row.number for row in label_log.history(data)] == [5, 4, 3, 1]
    old_label_log._done.clear()
    entries = trail.entries(data)[::-1]
    assert [(one.who, one.new) for one in entries] == [
        ("Dr. Old", "ALL"),
        ("Dr. Old", "Normal"),
        ("Dr. Ada", "ALL"),
        ("Dr. Old", DOUBTED),
    ]
    assert [one.imported_from for one in entries] == ["corrections.db"] * 2 + [""] + ["corrections.db"]
    assert entries[0].imported_at == "2025-01-01T10:00:00+00:00"


def test_what_was_brought_over_is_read_where_nothing_can_be_written(data, old_log, monkeypatch):
    monkeypatch.delenv("LEUKEMIA_DATABASE_URL", raising=False)
    old_log(1, "Normal", "ALL")
    there, fingerprint = label_log.history(data), training_set.fingerprint(data)
    database._engine(database.address(data)).dispose()
    for missing in (False, True):
        if missing:  # the earlier program was used once more, and this one not since
            old_log(2, "ALL", DOUBTED)
        old_label_log._done.clear()
        with read_only.closed(data):
            assert database.is_read_only(data)
            assert (label_log.history(data), training_set.fingerprint(data)) == (there, fingerprint)
            with pytest.raises(DatasetError, match="Nothing was saved"):
                label_log.correct(data, there[0].image_id, "Normal", **BY)
    assert [row.number for row in label_log.history(data)] == [2, 1]


def test_corrections_are_kept_in_either_database(prepared, records):
    data = shutil.copytree(prepared, records / "set")
    image_id = manifest.read(data).query("label == 'Normal'")["image_id"].iloc[0]
    made = label_log.correct(data, image_id, "ALL", **BY)
    undone = label_log.undo(data, made.number, **BY)
    label_log.correct(data, image_id, DOUBTED, who="\x00Dr. Bo", reason="<b>'\ud800")
    third, second, first = label_log.history(data)
    assert (second, first) == (undone, made)
    assert (third.number, third.who, third.reason) == (3, "Dr. Bo", "<b>'")
    assert label_log.current(data) == {image_id: third} and label_log.stamp(data) == 3
    assert len(trail.entries(data)) == 3


def test_a_damaged_log_of_an_earlier_program_is_a_sentence(data, normal):
    Workspace(data).corrections.write_bytes(b"not a database" * 100)
    with pytest.raises(DatasetError, match="cannot be read"):
        label_log.current(data)


def test_of_identical_images_all_are_corrected_and_one_without_a_label_keeps_none(data, normal):
    cells = manifest.read(data)
    twin = cells[cells["image_id"] == normal].assign(path="twin.png")
    bare = twin.assign(path="bare.png", label="")
    import pandas as pd

    manifest.write(data, pd.concat([cells, twin, bare]))
    label_log.correct(data, normal, "ALL", **BY)
    rows = label_log.apply(data, manifest.read(data)).query("image_id == @normal")
    assert rows["label"].tolist() == ["ALL", "ALL", ""]
