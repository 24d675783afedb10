"""A whole slide into a case: searched, its cells answered, and all of it put on record at once."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from PIL import Image

from leukemia.cases import cells
from leukemia.cases import fields as case_fields
from leukemia.cases.case import open_case
from leukemia.cases.cells import PICTURE, Added
from leukemia.errors import RecordsError
from leukemia.imaging.slide import ALL_SUFFIXES, Slide, is_slide
from leukemia.inference import fields
from leukemia.inference.answer import Answer
from leukemia.inference.batch import THUMBNAIL, Result
from leukemia.inference.classifier import Classifier
from leukemia.inference.search import small_picture
from leukemia.segmentation.place import FieldPicture
from leukemia.segmentation.segment import NONE_FOUND, Segmented
from leukemia.segmentation.slides import search
from leukemia.segmentation.slides.overview import overview
from leukemia.segmentation.slides.part import SlidePart
from leukemia.segmentation.slides.search import Settings
from leukemia.segmentation.slides.state import State
from leukemia.storage import database, files
from leukemia.storage.workspace import Workspace

MOST_LISTED = 200
CLASSIFYING = "Classifying cells"
ALREADY = (
    "This slide is in the case already, as field {}, with the cells that its search found. To search it "
    "again, make a new case and add it there."
)


def there(data: Path) -> list[Path]:
    """The slides in the data folder's place for them, by name; the first :data:`MOST_LISTED`."""
    folder = Workspace(data).slides
    if not folder.is_dir():
        return []
    found = [one.path for one in files.walk(folder) if not one.left_out]
    named = sorted(path for path in found if path.suffix.lower() in ALL_SUFFIXES)
    return [path for path in named[:MOST_LISTED] if is_slide(path)]


def state_file(data: Path, case_id: int, path: Path, settings: Settings) -> Path:
    """Where the search of a slide for a case is kept until its cells are on record."""
    named = json.dumps([str(path.resolve()), asdict(settings)], sort_keys=True)
    return (
        Workspace(data).slide_searches
        / f"case-{case_id}-{hashlib.sha256(named.encode()).hexdigest()[:16]}.db"
    )


def add(
    data: Path,
    case_id: int,
    path: Path,
    classifier: Classifier,
    *,
    who: str,
    version: int | None = None,
    settings: Settings,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Added:
    """Search a slide and add its cells to a case, all or none of them; what was interrupted goes on.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    path : Path
        The slide.
    classifier : Classifier
        Answers the cells.
    who : str
    version : int, optional
        The model's number in the registry.
    settings : Settings
        How the slide is searched.
    progress : callable, optional
        Called with what is done, all there is, and what is being done.

    Raises
    ------
    ImageError
        Where the slide cannot be read, or its scale is unknown.
    RecordsError
        Where the case holds the slide already. Else as :func:`leukemia.cases.cells.add` does; what was found
        is kept for the next time.
    """
    # Rather now than after hours.
    with database.reading(data) as connection:
        open_case(connection, case_id)
        known = case_fields.numbers(connection, case_id)
    kept = state_file(data, case_id, path, settings)
    with Slide(path) as slide:
        small = overview(slide)
        if number := known.get(_image_id(small)):
            kept.unlink(missing_ok=True)  # it was stopped just after its cells had been added
            raise RecordsError(ALREADY.format(number))
        with search.search(path, slide, kept, settings, progress=progress) as state:
            picture = _picture(path, slide, small, state, settings)
            key = f"slide {picture.image_id}"
            results = _answers(key, picture, slide, state, settings, classifier, progress)
    added = cells.add(
        data,
        case_id,
        results,
        classifier.bundle,
        classifier.bundle.operating_point,
        who=who,
        version=version,
        fields={key: picture},
    )
    kept.unlink(missing_ok=True)
    if added.fields_already:
        # Another search of it was done first.
        raise RecordsError(ALREADY.format(added.fields_already[0]))
    return added


def _image_id(small: Image.Image) -> str:
    return hashlib.sha256(small.tobytes()).hexdigest()


def _picture(path: Path, slide: Slide, small: Image.Image, state: State, settings: Settings) -> FieldPicture:
    scale = search.scale_of(slide, settings)
    parts = (scale.note, search.note(state, settings), slide.loss.note if slide.loss else "")
    return FieldPicture(
        files.shown(path.name),
        slide.width,
        slide.height,
        _image_id(small),
        small_picture(small),
        "; ".join(filter(None, parts)),
        scale=scale,
        lossy=slide.loss is not None,
    )


def _answers(
    key: str,
    picture: FieldPicture,
    slide: Slide,
    state: State,
    settings: Settings,
    classifier: Classifier,
    progress: Callable[[int, int, str], None],
) -> list[Result]:
    whole = replace(SlidePart.whole(slide), note=search.note(state, settings))
    found = Segmented(search.cells(state, settings), state.red, 0, picture.scale)
    if not found.cells:
        return [Result(key, Answer(picture.name, error=NONE_FOUND, note=picture.note))]
    answered = fields.answer_cells(
        classifier, picture.name, whole, found, thumbnail=THUMBNAIL, picture=PICTURE
    )
    results = []
    for one in answered:
        progress(len(results), len(found.cells), CLASSIFYING)
        number = one.answer.place.number
        answer = replace(one.answer, name=f"{picture.name}, cell {number}")
        results.append(Result(f"{key} {number}", answer, field=key))
    progress(len(results), len(results), CLASSIFYING)
    return results
