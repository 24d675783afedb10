"""A whole slide into a case: its cells with their places, all at once; resumed; each slide once."""

import pytest

from leukemia.audit import trail
from leukemia.cases import case as cases
from leukemia.cases import cells, fields, signing, slides, verdicts
from leukemia.errors import ImageError, RecordsError
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import ALL_LIKE
from leukemia.segmentation.slides import search
from leukemia.segmentation.slides.search import Settings
from leukemia.storage.workspace import Workspace
from tests.support import slides as drawn
from tests.support.fields import ColourNetwork

# Cells of three sizes: the same pixels are the same cell.
CELLS = ((300, 300, 60), (1_000, 1_100, 56), (1_900, 300, 64))
USUAL = Settings()


@pytest.fixture(scope="module")
def classifier(tiny_bundle):
    return Classifier.load(tiny_bundle)


@pytest.fixture
def slide(tmp_path):
    return drawn.write(tmp_path / "one.svs", drawn.smear(width=2_048, height=1_500, cells=CELLS))


@pytest.fixture(autouse=True)
def _reads_colours(monkeypatch):
    monkeypatch.setattr(search, "shipped", ColourNetwork)


def add(data, case, path, classifier, settings=USUAL, **options):
    return slides.add(data, case.id, path, classifier, who="Ada", settings=settings, **options)


def test_the_cells_of_a_slide_become_those_of_the_case_with_their_places(tmp_path, slide, classifier):
    case = cases.create(tmp_path, "P-1", who="Ada", keep_names=True)
    steps = []
    added = add(tmp_path, case, slide, classifier, progress=lambda *said: steps.append(said))
    assert added.new == (1, 2, 3) and added.fields == (1,)
    (one,) = fields.fields(tmp_path, case.id)
    assert (one.name, one.width, one.height) == ("one.svs", 2_048, 1_500) and "from the slide" in one.note
    found = cells.cells(tmp_path, case.id)
    middles = [(cell.place.x + cell.place.width / 2, cell.place.y + cell.place.height / 2) for cell in found]
    assert sorted(middles) == [pytest.approx(place, abs=6) for place in sorted(cell[:2] for cell in CELLS)]
    assert [cell.name for cell in found] == [f"one.svs, cell {number}" for number in (1, 2, 3)]
    assert all(cell.image_id for cell in found) and cells.picture(tmp_path, case.id, 1).png
    assert [what for *_, what in steps][-1] == slides.CLASSIFYING
    assert list(Workspace(tmp_path).slide_searches.iterdir()) == []


@pytest.mark.parametrize("again", [USUAL, Settings(most=1)])
def test_a_slide_that_the_case_holds_is_refused_before_the_search(tmp_path, slide, classifier, again):
    case = cases.create(tmp_path, "P-1", who="Ada")
    add(tmp_path, case, slide, classifier)
    steps = []
    with pytest.raises(RecordsError, match=r"in the case already, as field 1.* make a new case"):
        add(tmp_path, case, slide, classifier, again, progress=lambda *said: steps.append(said))
    assert steps == [] and list(Workspace(tmp_path).slide_searches.iterdir()) == []
    assert len(cells.cells(tmp_path, case.id)) == 3
    other = cases.create(tmp_path, "P-2", who="Ada")
    assert len(add(tmp_path, other, slide, classifier, again).new) == min(again.most, 3)


def test_a_slide_that_another_search_adds_meanwhile_is_told_as_there(tmp_path, slide, classifier):
    case = cases.create(tmp_path, "P-1", who="Ada")
    begun = []

    def meanwhile(*said):
        if not begun:
            begun.append(add(tmp_path, case, slide, classifier, Settings(most=1)))

    with pytest.raises(RecordsError, match="in the case already"):
        add(tmp_path, case, slide, classifier, progress=meanwhile)
    assert len(cells.cells(tmp_path, case.id)) == 1


def test_what_was_interrupted_goes_on_where_it_stopped(tmp_path, slide, classifier):
    case = cases.create(tmp_path, "P-1", who="Ada")

    def stop(done, total, what):
        if what == slides.CLASSIFYING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(tmp_path, case, slide, classifier, progress=stop)
    assert cells.cells(tmp_path, case.id) == []
    seen = []
    assert len(add(tmp_path, case, slide, classifier, progress=lambda *said: seen.append(said)).new) == 3
    assert search.LOOKING not in [what for *_, what in seen]


def test_a_slide_without_a_cell_is_kept_and_is_no_cell(tmp_path, classifier):
    path = drawn.write(tmp_path / "red.svs", drawn.smear(width=1_000, height=800))
    case = cases.create(tmp_path, "P-1", who="Ada")
    assert add(tmp_path, case, path, classifier).fields == (1,)
    assert any(one.new.endswith("white cells: 0") for one in trail.entries(tmp_path))


def test_a_signed_case_is_refused_before_the_search(tmp_path, slide, classifier):
    case = cases.create(tmp_path, "P-1", who="Ada")
    add(tmp_path, case, slide, classifier)
    verdicts.give(tmp_path, case.id, [1, 2, 3], ALL_LIKE, reader="Ada")
    signing.sign(tmp_path, case.id, who="Ada", meaning="read")
    steps = []
    with pytest.raises(RecordsError, match="signed"):
        add(tmp_path, case, slide, classifier, progress=lambda *said: steps.append(said))
    assert steps == []


def test_cells_at_a_scale_that_the_model_cannot_use_are_listed_with_the_reason(tmp_path, classifier):
    pixels = drawn.smear(width=1_000, height=800, cells=[(500, 400)])
    path = drawn.write(tmp_path / "coarse.svs", pixels[::3, ::3], levels=1, pixel_size=0.3)
    case = cases.create(tmp_path, "P-1", who="Ada")
    add(tmp_path, case, path, classifier)
    (cell,) = cells.cells(tmp_path, case.id)
    assert cell.probability is None and "too far from the model's scale" in cell.error


def test_what_is_no_slide_is_a_sentence(tmp_path, classifier):
    case = cases.create(tmp_path, "P-1", who="Ada")
    (tmp_path / "text.svs").write_text("Dear colleague")
    for name in ("text.svs", "missing.svs"):
        with pytest.raises(ImageError, match="cannot be read"):
            add(tmp_path, case, tmp_path / name, classifier)


def test_the_slides_of_the_data_folder_are_listed(tmp_path, slide):
    assert slides.there(tmp_path) == []
    folder = Workspace(tmp_path).slides
    (folder / "more").mkdir(parents=True)
    slide.rename(folder / "more" / "two.svs")
    (folder / "letter.txt").write_text("Dear colleague")
    drawn.write(folder / "a.tif", drawn.smear(width=600, height=500), levels=1)  # a field
    drawn.write(folder / "b.tif", drawn.smear(width=600, height=500), levels=2)
    assert [path.name for path in slides.there(tmp_path)] == ["b.tif", "two.svs"]
