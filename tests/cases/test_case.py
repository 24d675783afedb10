"""Cases are made, found, listed and searched; a cell is seen as the case says it is to be seen."""

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts, worklist
from leukemia.cases.tables import APPEARANCES
from leukemia.errors import RecordsError
from leukemia.imaging import appearance
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support.case_factory import POINT, bundle_at, make_case, result

ODD = [
    "<script>alert(1)</script>",
    "Robert'); DROP TABLE cases;--",
    '"quoted" `P` \\ %s {0} $x$ :cat:',
    "👩‍⚕️ 患者 №7",
    "=1+1",
    "x" * 200,
]


@pytest.mark.parametrize("identifier", ODD)
def test_an_identifier_is_text_whatever_it_is_made_of(records, identifier):
    made = cases.create(records, f"  {identifier}\t", who="Ada <b>")
    assert made.identifier == identifier
    assert cases.find(records, made.id) == made == cases.by_identifier(records, identifier)
    assert [one.case for one in worklist.worklist(records, search=identifier)] == [made]
    with pytest.raises(RecordsError, match="identifier already"):
        cases.create(records, identifier, who="Ben")


@pytest.mark.parametrize(
    ("identifier", "says"),
    [
        (" \n ", "give the case an identifier"),
        ("x" * 10_000, "at most 200 characters; this one has 10,000"),
        ("a\x00b", "cannot be shown"),
        ("safe\u202egpj", "cannot be shown"),
        ("\ud800", "cannot be shown"),
    ],
)
def test_an_identifier_that_cannot_be_kept_is_refused(tmp_path, identifier, says):
    with pytest.raises(RecordsError, match=says):
        cases.create(tmp_path, identifier, who="Ada")
    assert worklist.worklist(tmp_path) == []


def test_the_same_letters_written_in_two_ways_are_one_identifier(records):
    cases.create(records, "Jos\u00e9", who="Ada")
    with pytest.raises(RecordsError, match="identifier already"):
        cases.create(records, "Jose\u0301", who="Ada")


def test_a_case_that_is_not_there_says_so(records):
    for _ in range(2):
        for ask in (
            lambda: cases.find(records, 7),
            lambda: worklist.overview(records, 7),
            lambda: cells.cells(records, 7),
        ):
            with pytest.raises(RecordsError, match="no case number 7"):
                ask()
        with pytest.raises(RecordsError, match="no case with this identifier"):
            cases.by_identifier(records, "P-7")
        cases.create(records, "another", who="Ada") if not worklist.worklist(records) else None


def test_an_address_with_an_impossible_number_and_an_odd_search_find_nothing(records):
    case = make_case(records)
    for number in (0, -1, 2**31, 2**63, 10**30):
        for ask in (cases.find, worklist.overview, cells.cells):
            with pytest.raises(RecordsError):
                ask(records, number)
        with pytest.raises(RecordsError):
            verdicts.give(records, case.id, [number], ALL_LIKE, reader="Ada")
        with pytest.raises(RecordsError):
            cells.picture(records, case.id, number)
    assert len(worklist.worklist(records, search="\x00P-\ud8001")) == 1
    assert worklist.worklist(records, search="'; DROP TABLE cases; --") == []


def test_the_worklist_is_searched_filtered_and_ordered(records):
    empty = cases.create(records, "A_100%", who="Ada")
    sure = make_case(records, "b-sure", (0.9, 0.1))
    unsure = make_case(records, "B-unsure", (0.5, 0.6, 0.9), first=20)
    signed = make_case(records, "c", (0.5, 0.6), first=30)
    verdicts.give(records, signed.id, [1, 2], ALL_LIKE, reader="Ada")
    signing.sign(records, signed.id, who="Ada", meaning="x")
    verdicts.give(records, unsure.id, [3], ALL_LIKE, reader="Ada")

    def listed(**asked):
        return [one.case.id for one in worklist.worklist(records, **asked)]

    assert listed() == [unsure.id, signed.id, sure.id, empty.id]
    assert listed(order=worklist.MOST_UNCERTAIN) == [unsure.id, sure.id, empty.id, signed.id]
    assert listed(order=worklist.BY_IDENTIFIER) == [empty.id, sure.id, unsure.id, signed.id]
    assert listed(search="b-") == [unsure.id, sure.id]
    assert listed(search="_1") == listed(search="%") == [empty.id]
    assert listed(states=[worklist.READY, worklist.EMPTY]) == [sure.id, empty.id]
    assert listed(states=[worklist.SIGNED]) == [signed.id]
    (found,) = worklist.worklist(records, search="unsure")
    assert (found.cells, found.unread, found.with_verdict, found.disputed) == (3, 2, 1, 0)
    assert found.decisions == {ALL_LIKE: 1, INDETERMINATE: 2, NORMAL_LIKE: 0, "Not classified": 0}
    assert found.uncertainty == pytest.approx(2 / 3)
    assert found == worklist.overview(records, unsure.id)


def test_names_of_files_are_kept_only_where_the_case_says_so(records):
    plain, named = make_case(records, "1"), make_case(records, "2", keep_names=True)
    assert {cell.name for cell in cells.cells(records, plain.id)} == {""}
    assert cells.cells(records, named.id)[0].name == "cell-1.bmp"
    told = repr(cases.history(records, plain.id))
    assert "cell-1.bmp" not in told and "Unlike the cells" in told


def test_an_image_is_in_a_case_once_and_may_be_in_two_cases(records):
    first, second = make_case(records, "1"), make_case(records, "2", (0.9, 0.8), first=2)
    again = [result(1), result(1), result(7), result(7)]
    added = cells.add(records, first.id, again, bundle_at(records / "bundle"), POINT, who="Ada")
    assert added == cells.Added(new=(6,), already=(1, 1, 6))
    assert len(cells.cells(records, first.id)) == 6
    assert cells.elsewhere(records, first.id) == {2: ["2"], 3: ["2"]}
    assert cells.elsewhere(records, second.id) == {1: ["1"], 2: ["1"]}


def test_nothing_is_added_to_a_signed_case(records):
    case = make_case(records, probabilities=(0.9,))
    signing.sign(records, case.id, who="Ada", meaning="x")
    with pytest.raises(RecordsError, match="signed by Ada"):
        cells.add(records, case.id, [result(9)], bundle_at(records / "bundle"), POINT, who="Ada")


def test_readers_are_blind_to_each_other_until_each_has_given_her_verdict(records):
    case = make_case(records, blind=True)
    verdicts.give(records, case.id, [1, 2], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ben")
    one, two, *_ = cells.cells(records, case.id, reader="Ben")
    assert (one.readings, one.status, one.verdict, one.others_hidden) == ((), "unread", "", True)
    assert [each.reader for each in two.readings] == ["Ada", "Ben"] and two.status == "disputed"
    assert one.probability == 0.9 and not one.hidden
    assert cells.cells(records, case.id, reader="")[1].readings == ()
    assert len(cells.cells(records, case.id)[1].readings) == 2


def test_the_models_answer_is_hidden_until_the_reader_has_given_hers(records):
    case = make_case(records, hide_model=True)
    verdicts.give(records, case.id, [1, 4], ALL_LIKE, reader="Ada")
    seen = cells.cells(records, case.id, reader=" Ada ")
    assert [cell.hidden for cell in seen] == [False, True, True, False, True]
    assert (seen[0].probability, seen[0].decision) == (0.9, ALL_LIKE)
    assert all(
        (cell.probability, cell.decision, cell.error) == (None, "", "") for cell in seen if cell.hidden
    )
    assert all(cell.hidden for cell in cells.cells(records, case.id, reader="Ben"))
    assert not any(cell.hidden for cell in cells.cells(records, case.id))


def test_what_is_kept_of_a_cell_holds_what_the_model_read(tiny_bundle, drawn_files, tmp_path):
    bundle = bundles.read(tiny_bundle)
    files = sorted(drawn_files.iterdir())[:3]
    batch = Batch(picture=cells.PICTURE)
    batch.add(Item(path.name, Source.file(path)) for path in files)
    batch.add([Item("bad", Source("bad.bmp", lambda: b"no image"))])
    classifier = Classifier(bundle)
    while batch.waiting:
        batch.work(classifier)
    case = cases.create(tmp_path, "P-1", who="Ada")
    cells.add(tmp_path, case.id, batch.results, bundle, bundle.operating_point, who="Ada")
    found = cells.cells(tmp_path, case.id)
    assert [cell.probability is None for cell in found] == [False, False, False, True]
    for path, cell in zip(files, found, strict=False):
        frame = measure_cell(np.asarray(Image.open(path)))
        kept = cells.picture(tmp_path, case.id, cell.number)
        assert np.array_equal(kept.crop, crop_cell(frame, bundle.input_size))
        assert np.array_equal(kept.pixels, crop_cell(frame, cells.PICTURE))
        assert classifier.predict(kept.crop[None])[0][0] == cell.probability
        assert (cell.image_id, cell.area, cell.pixel_size) == (frame.image_id, frame.area, bundle.pixel_size)
    assert sorted(cells.thumbnails(tmp_path, case.id, range(1, 5))) == [1, 2, 3]
    with pytest.raises(RecordsError, match="no picture of cell 4"):
        cells.picture(tmp_path, case.id, 4)
    (recorded, *_) = cases.history(tmp_path, case.id)[::-1][1:]
    assert recorded.image_id == found[0].image_id and recorded.probability == found[0].probability
    assert recorded.record_sha256 == bundles.checksum(tiny_bundle / bundles.RECORD)
    assert (recorded.low, recorded.threshold, recorded.high) == (0.5, 0.5, 0.5)


def test_a_case_is_all_there_for_a_program_that_is_started_anew(tmp_path):
    from leukemia.storage import database

    case = make_case(tmp_path)
    before = cells.cells(tmp_path, case.id)
    database._engine.cache_clear()
    database._ready.clear()
    assert cells.cells(tmp_path, case.id) == before
    assert Workspace(tmp_path).records.is_file()


def test_a_cell_keeps_what_is_measured_of_its_picture_as_it_enters(records):
    made = make_case(records)
    with database.reading(records) as connection:
        stored = connection.execute(sa.select(APPEARANCES).order_by(APPEARANCES.c.number)).mappings().all()
    assert [row["number"] for row in stored] == [1, 2, 3, 4]  # the fifth could not be read
    crop = cells.picture(records, made.id, 1).crop
    expected = appearance.measure(crop, 20_001)
    names = ("hue", "saturation", "brightness", "sharpness")
    assert {name: stored[0][name] for name in names} == pytest.approx(
        {name: expected[name] for name in names}
    )
