"""What the catalog says is what the manifest and the files hold."""

import pytest

from leukemia.dataset import manifest
from leukemia.dataset.catalog import catalog, manifest_parquet
from leukemia.dataset.catalog.catalog import open_catalog
from leukemia.dataset.catalog.filters import UNKNOWN, Filters
from leukemia.dataset.catalog.sql import SORTS
from leukemia.errors import DatasetError
from leukemia.storage.workspace import Workspace
from tests.dataset.catalog.conftest import THRESHOLD, paths


def test_every_row_is_there_once_in_the_manifests_order(data, cells):
    opened = open_catalog(data)
    assert opened.total == len(cells) == opened.count()
    pages = [opened.page(number=number, size=10) for number in range(1, len(cells) // 10 + 2)]
    assert [path for page in pages for path in paths(page)] == list(cells["path"])
    for record, row in zip(pages[0], cells.itertuples(), strict=False):
        for name in (
            "image_id",
            "label",
            "patient",
            "patient_group",
            "source",
            "width",
            "height",
            "cell_area",
            "origin",
        ):
            assert getattr(record, name) == getattr(row, name)
        assert record.synthetic
        assert record.probability is None
        assert (record.subset, record.decision, record.outcome) == (UNKNOWN,) * 3


def test_counts_are_those_of_the_files(data, cells, drawn_set):
    tally = open_catalog(data).tally()
    on_disk = {
        "normal": drawn_set / "labeled_images" / "Normal",
        "all": drawn_set / "labeled_images" / "ALL",
        "unlabelled": drawn_set / "unlabeled_images",
    }
    for name, folder in on_disk.items():
        assert getattr(tally, name) == len(list(folder.glob("*.webp"))) > 0
    assert tally.images == tally.normal + tally.all + tally.unlabelled
    assert tally.patients == cells.loc[cells["patient"] != "", "patient"].nunique()
    assert tally.groups == cells.loc[cells["patient_group"] != "", "patient_group"].nunique() < tally.patients


def test_sorts_by_what_they_say(known, expected):
    keys = {
        "largest": (-expected["cell_area"]),
        "smallest": expected["cell_area"],
        "highest": -expected["probability"],
        "lowest": expected["probability"],
        "nearest": (expected["probability"] - THRESHOLD).abs(),
        "wrongest": -(expected["probability"] - (expected["label"] == "ALL")).abs(),
    }
    for name, key in keys.items():
        wanted = expected.assign(key=key).sort_values("key", kind="stable")
        records = known.page(sort=name, size=1_000)
        assert len(records) == len(wanted)
        assert [record.path for record in records] == list(wanted["path"])


def test_patients_come_as_a_reader_counts(known):
    patients = [record.patient for record in known.page(sort="patient", size=1_000) if record.patient]
    numbers = [int(patient) for patient in dict.fromkeys(patients) if patient.isdigit()]
    assert numbers == sorted(numbers)
    assert len(numbers) > 3
    assert list(known.choices.patients) == list(dict.fromkeys(patients))


@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_any_sort_show_every_cell_once(known, sort):
    size = 7
    turned = [known.page(sort=sort, number=n, size=size) for n in range(1, known.total // size + 2)]
    assert sorted(path for page in turned for path in paths(page)) == sorted(paths(known.page(size=1_000)))


def test_an_unknown_sort_is_the_manifests_order(known):
    assert paths(known.page(sort="row; DROP TABLE cells")) == paths(known.page())


def test_a_record_names_its_copies(known, cells):
    twice = cells[cells["image_id"].duplicated(keep=False)]
    image_id = twice["image_id"].iloc[0]
    copies = known.copies(image_id)
    assert paths(copies) == list(cells.loc[cells["image_id"] == image_id, "path"])
    assert len(copies) == 2
    assert known.record(image_id) == copies[0]
    assert known.record("no such image") is None


def test_of_patient_gives_that_patients_cells_and_nobodys_to_nobody(known, cells):
    assert paths(known.of_patient("20", size=100)) == list(cells.loc[cells["patient"] == "20", "path"])
    assert known.of_patient("") == []


def test_a_changed_manifest_is_read_anew_and_an_unchanged_one_is_not(data, cells, monkeypatch):
    assert open_catalog(data).total == len(cells)
    made = []
    monkeypatch.setattr(manifest_parquet, "_make", lambda *given: made.append(given))
    assert open_catalog(data).total == len(cells)
    assert not made
    monkeypatch.undo()
    before = catalog.stamp(data)
    manifest.write(data, cells[:20])
    assert catalog.stamp(data) != before
    assert open_catalog(data).total == 20


def test_a_damaged_cache_file_is_made_again(data, cells):
    open_catalog(data)
    Workspace(data).catalog.write_bytes(b"PAR1 not at all")
    assert open_catalog(data).total == len(cells)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(data, cells):
    (data / "cache").write_text("a file where the folder should be")
    assert open_catalog(data).total == len(cells)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "No prepared images"),
        ("image_id,path\n1,2\n", "lacks columns: label"),
        (
            ",".join(manifest.COLUMNS) + "\n1,a.webp,AML,1,1,fold_0,450,450,3,a,b\n",
            "labels other than Normal and ALL: AML",
        ),
        (",".join(manifest.COLUMNS) + "\n1,a.webp,ALL,1,1,fold_0,wide,450,3,a,b\n", "is damaged"),
        (",".join(manifest.COLUMNS) + "\n1,a.webp,ALL\n", "is damaged"),
    ],
)
def test_a_bad_manifest_is_a_sentence(tmp_path, text, says):
    if text is not None:
        Workspace(tmp_path).manifest.write_text(text)
    with pytest.raises(DatasetError) as error:
        open_catalog(tmp_path)
    assert says in str(error.value)
    assert not Workspace(tmp_path).catalog.exists()


def test_odd_names_are_read_as_they_are(data, cells):
    odd = cells[:3].assign(
        patient=['O\'Hara, "Ann"', "\\N", "é;--"], path=["a,b.webp", 'c"d.webp', "line\nbreak.webp"]
    )
    manifest.write(data, odd)
    opened = open_catalog(data)
    assert paths(opened.page()) == list(odd["path"])
    assert [record.patient for record in opened.page()] == list(odd["patient"])
    assert opened.count(Filters(patients=('O\'Hara, "Ann"',))) == 1
