"""What the catalog says is what the manifest and the files hold."""

import numpy as np
import pandas as pd
import pytest

from leukemia.dataset import label_log, manifest
from leukemia.dataset.catalog import brightness, catalog, manifest_parquet, summary
from leukemia.dataset.catalog.catalog import open_catalog
from leukemia.dataset.catalog.filters import INDETERMINATE, UNDECIDED, UNKNOWN, UNLABELLED, Filters
from leukemia.dataset.catalog.sql import SORTS
from leukemia.errors import BusyError, DatasetError
from leukemia.imaging import reader
from leukemia.imaging.cell import BACKGROUND
from leukemia.operating_point import OperatingPoint
from leukemia.storage.workspace import Workspace

THRESHOLD = 0.4


@pytest.fixture
def data(drawn_set, tmp_path):
    """A copy of the drawn set's manifest that a test may alter; the images are the set's own."""
    for child in drawn_set.iterdir():
        if child.is_dir() and child.name in ("labeled_images", "unlabeled_images"):
            (tmp_path / child.name).symlink_to(child)
    Workspace(tmp_path).manifest.write_bytes(Workspace(drawn_set).manifest.read_bytes())
    return tmp_path


@pytest.fixture
def cells(data):
    return manifest.read(data)


@pytest.fixture
def model(cells):
    """Predictions on a third of the patient groups, and the split that they come from."""
    labelled = cells[cells["label"] != ""]
    groups = sorted(labelled["patient_group"].unique())
    split = {"training": groups[::3], "validation": groups[1::3], "test": groups[2::3]}
    test = labelled[labelled["patient_group"].isin(split["test"])]
    rng = np.random.default_rng(2)
    predictions = test[["image_id", "patient_group", "label"]].assign(
        probability=rng.random(len(test)).round(6)
    )
    # Equal pixels have equal answers.
    first = predictions.groupby("image_id")["probability"].transform("first")
    return predictions.assign(probability=first), split


@pytest.fixture
def known(data, model):
    predictions, split = model
    return open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=split, synthetic=True)


@pytest.fixture
def expected(cells, model):
    """The same rows reckoned with pandas."""
    predictions, split = model
    part = {group: name for name, members in split.items() for group in members}
    probability = cells["image_id"].map(
        predictions.drop_duplicates("image_id").set_index("image_id")["probability"]
    )
    calls_all = probability >= THRESHOLD
    rows = cells.assign(
        probability=probability,
        part=cells["patient_group"].map(part).fillna(UNKNOWN),
        decision=calls_all.map({True: "ALL", False: "Normal"}).where(probability.notna(), UNKNOWN),
    )
    right = (rows["decision"] == rows["label"]).map({True: "right", False: "wrong"})
    return rows.assign(outcome=right.where(probability.notna() & (rows["label"] != ""), UNKNOWN))


def paths(records):
    return [record.path for record in records]


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


FILTERS = {
    "class": (Filters(labels=("ALL",)), lambda c: c["label"] == "ALL"),
    "unlabelled": (Filters(labels=(UNLABELLED,)), lambda c: c["label"] == ""),
    "two classes": (Filters(labels=("ALL", UNLABELLED)), lambda c: c["label"] != "Normal"),
    "patients": (Filters(patients=("20", "H2")), lambda c: c["patient"].isin(["20", "H2"])),
    "source": (Filters(sources=("synthetic",)), lambda c: c["source"] == "synthetic"),
    "part": (Filters(subsets=("test", "training")), lambda c: c["part"].isin(["test", "training"])),
    "in no part": (Filters(subsets=(UNKNOWN,)), lambda c: c["part"] == UNKNOWN),
    "decision": (Filters(decisions=("ALL",)), lambda c: c["decision"] == "ALL"),
    "no answer": (Filters(decisions=(UNKNOWN,)), lambda c: c["decision"] == UNKNOWN),
    "wrong": (Filters(outcomes=("wrong",)), lambda c: c["outcome"] == "wrong"),
    "probability": (Filters(probability=(0.2, 0.6)), lambda c: c["probability"].between(0.2, 0.6)),
    "size": (Filters(area=(20_000, 30_000)), lambda c: c["cell_area"].between(20_000, 30_000)),
    "together": (
        Filters(
            labels=("ALL",), subsets=("test",), outcomes=("right",), probability=(0.5, 1), area=(0, 60_000)
        ),
        lambda c: (
            (c["label"] == "ALL")
            & (c["part"] == "test")
            & (c["outcome"] == "right")
            & c["probability"].between(0.5, 1)
        ),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_what_pandas_lets_through(known, expected, name):
    filters, condition = FILTERS[name]
    rows = expected[condition(expected)]
    assert len(rows) > 0
    assert name == "source" or len(rows) < len(expected)
    assert paths(known.page(filters, size=1_000)) == list(rows["path"])
    assert known.count(filters) == known.tally(filters).images == len(rows)


def test_picked_images_are_found_and_an_empty_pick_finds_none(known, cells):
    picked = tuple(cells["image_id"][5:9])
    records = known.page(Filters(images=picked), size=100)
    assert {record.image_id for record in records} == set(picked)
    assert known.count(Filters(images=())) == 0


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


def test_a_leaky_split_tells_test_images_only(data, cells, model):
    predictions, _ = model
    groups = list(cells.loc[cells["label"] != "", "patient_group"].unique())
    both = {"training": groups, "validation": [], "test": groups}
    opened = open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=both, synthetic=True)
    tested = cells[cells["image_id"].isin(predictions["image_id"]) & (cells["label"] != "")]
    assert opened.choices.subsets == ("test", UNKNOWN)
    assert opened.count(Filters(subsets=("test",))) == len(tested)


def test_after_a_cross_validation_a_cells_part_is_the_fold_that_held_it_out(data, cells):
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id")
    groups = sorted(labelled["patient_group"].unique())
    fold = labelled["patient_group"].map({group: number % 3 for number, group in enumerate(groups)})
    everyone = {"training": groups, "validation": [], "test": groups}
    predictions = labelled.assign(probability=0.5, fold=fold)
    opened = open_catalog(data, predictions, OperatingPoint.of(0.5), groups=everyone, synthetic=True)
    assert opened.choices.subsets == ("fold 1", "fold 2", "fold 3", UNKNOWN)
    assert summary.groups_in_two_subsets(opened) == (0, len(groups))
    held_out = set(labelled.loc[fold == 1, "image_id"])
    wanted = cells[cells["image_id"].isin(held_out) & (cells["label"] != "")]
    assert paths(opened.page(Filters(subsets=("fold 2",)), size=1_000)) == list(wanted["path"])


def test_a_group_on_two_sides_is_counted(data, cells):
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id")
    fold = pd.Series(0, labelled.index).where(labelled["patient"] != "H2", 1)
    predictions = labelled.assign(probability=0.5, fold=fold)
    twice, groups = summary.groups_in_two_subsets(
        open_catalog(data, predictions, OperatingPoint.of(0.5), synthetic=True)
    )
    assert (twice, groups) == (1, labelled["patient_group"].nunique())


def test_within_a_band_a_cell_is_neither_right_nor_wrong(data, model, expected):
    predictions, split = model
    low, high = 0.3, 0.6
    opened = open_catalog(
        data, predictions, OperatingPoint(low, high, THRESHOLD), groups=split, synthetic=True
    )
    within = expected["probability"].between(low, high, inclusive="left")
    assert 0 < within.sum() < expected["probability"].notna().sum()
    wanted = list(expected.loc[within, "path"])
    assert paths(opened.page(Filters(decisions=(INDETERMINATE,)), size=1_000)) == wanted
    assert paths(opened.page(Filters(outcomes=(UNDECIDED,)), size=1_000)) == wanted
    wrong = expected[(expected["outcome"] == "wrong") & ~within]
    assert paths(opened.page(Filters(outcomes=("wrong",)), size=1_000)) == list(wrong["path"])


def test_a_model_of_real_cells_has_no_part_in_a_drawn_set(data, model):
    _, split = model
    opened = open_catalog(
        data,
        pd.DataFrame({"image_id": [], "probability": []}),
        OperatingPoint.of(0.5),
        groups=split,
        synthetic=False,
    )
    assert opened.choices.subsets == (UNKNOWN,)


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


def test_a_corrected_label_counts_and_a_doubted_one_is_told(data, known, expected, model):
    normal, blast = (
        expected[(expected["label"] == label) & (expected["part"] == "test")] for label in ("Normal", "ALL")
    )
    first, second = normal["image_id"].iloc[0], blast["image_id"].iloc[-1]
    before = catalog.stamp(data)
    label_log.correct(data, first, "ALL", who="A", reason="a blast")
    label_log.correct(data, second, "doubted", who="A", reason="a smudge")
    assert catalog.stamp(data) != before
    predictions, split = model
    opened = open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=split, synthetic=True)
    record = opened.record(first)
    assert (record.label, record.original_label, record.review) == ("ALL", "Normal", "corrected")
    assert record.outcome == {"ALL": "right", "Normal": "wrong"}[record.decision]
    assert (opened.record(second).label, opened.record(second).review) == ("ALL", "doubted")
    assert {r.image_id for r in opened.page(Filters(reviews=("doubted",)))} == {second}
    assert opened.tally().all == known.tally().all + known.count(Filters(images=(first,)))


def test_brightness_is_that_of_the_pixels_and_measured_once(data, cells):
    assert open_catalog(data).page(sort="brightest")[0].brightness is None
    before = catalog.stamp(data)
    assert not brightness.finished(data)
    assert brightness.measure(data, workers=2) == cells["image_id"].nunique()
    assert brightness.finished(data)
    assert catalog.stamp(data) != before
    assert brightness.measure(data, workers=2) == 0
    for record in open_catalog(data).page(sort="brightest", size=1_000)[::25]:
        pixels = reader.decode(reader.read(data / record.path)).astype(float)
        luma = pixels @ [0.299, 0.587, 0.114]
        assert record.brightness == pytest.approx(luma[luma > BACKGROUND + 0.5].mean(), abs=0.3)


def test_measuring_goes_on_where_it_was_broken_off_and_skips_what_cannot_be_read(data, cells, monkeypatch):
    lost = cells["path"].iloc[-1]
    manifest.write(data, cells.assign(path=cells["path"].where(cells["path"] != lost, "gone.webp")))
    monkeypatch.setattr(brightness, "EVERY", 0.0)

    def stop(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brightness.measure(data, workers=2, progress=stop)
    kept = len(pd.concat(map(pd.read_parquet, brightness.files(data))))
    assert kept == brightness.CHUNK
    assert brightness.measure(data, workers=2) == cells["image_id"].nunique() - kept
    assert brightness.finished(data)
    opened = open_catalog(data)
    assert [r.path for r in opened.page(size=1_000) if r.brightness is None] == ["gone.webp"]


def test_two_do_not_measure_at_once(data):
    from filelock import FileLock

    Workspace(data).brightness.mkdir(parents=True)
    with FileLock(Workspace(data).brightness / "lock"), pytest.raises(BusyError):
        brightness.measure(data, workers=1)


QUERIES = [
    Filters(),
    Filters(labels=("ALL", UNLABELLED), patients=("20", "H2"), sources=("fold_0",)),
    Filters(subsets=("test",), decisions=("Normal",), outcomes=("wrong",), probability=(0.25, 0.75)),
    Filters(area=(20_000.0, 30_500.0), images=("a" * 64, "b" * 64), reviews=("doubted",)),
]


@pytest.mark.parametrize("filters", QUERIES)
def test_an_address_brings_the_same_filters_back(filters):
    assert Filters.from_query(filters.to_query()) == filters


@pytest.mark.parametrize(
    "query",
    [{"size": ["large"]}, {"size": ["9-1"]}, {"probability": ["nan-inf"]}, {"other": ["1"]}, {"size": []}],
)
def test_nonsense_in_an_address_lets_everything_through(query):
    assert Filters.from_query(query) == Filters()
