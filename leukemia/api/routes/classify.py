"""Images to answers: through the batch that the Classify page works with, put on record in the same way."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Response, UploadFile

from leukemia.api import idempotency, schemas
from leukemia.api.errors import RequestError
from leukemia.api.routes import models
from leukemia.api.wiring import CONFLICT, REFUSALS, Caller, Shared
from leukemia.errors import ImageError, LeukemiaError
from leukemia.imaging import limits as sizes
from leukemia.imaging import scale as scales
from leukemia.imaging.scale import Scale
from leukemia.inference import decisions, on_record
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item, Result
from leukemia.inference.learned import Learned
from leukemia.operating_point import OperatingPoint
from leukemia.settings import MAX_FILES
from leukemia.storage import files

DOOR = "REST"
REPEATED = "idempotent-replayed"
NO_SCALE = "pixel_size must be a number of micrometres above 0, or native."

# As the page of the documentation must have it to let files be chosen.
CHOSEN = {"items": {"type": "string", "format": "binary"}}

router = APIRouter(prefix="/v1", tags=["Classify"], responses=REFUSALS | CONFLICT)


@router.post("/classify", summary="Images to answers")
def classify(
    shared: Shared,
    caller: Caller,
    response: Response,
    images: Annotated[
        list[UploadFile],
        File(description=f"One to {MAX_FILES} images of cells or fields.", json_schema_extra=CHOSEN),
    ],
    pixel_size: Annotated[
        str, Form(description="Micrometres of one pixel, or native (C-NMC's own); empty: as the files say.")
    ] = "",
    idempotency_key: Annotated[str | None, Header(description="A repeated request is answered once.")] = None,
) -> schemas.Classified:
    """Classify images. One that cannot be read has an entry that says why; the others are answered."""
    scale = _scale(pixel_size)
    names = [files.shown(image.filename or f"image {at}") for at, image in enumerate(images, 1)]
    sent = [hashlib.file_digest(image.file, "sha256").hexdigest() for image in images]
    asked = idempotency.fingerprint("classify", names, sent, pixel_size.strip())
    done = idempotency.once(
        shared.data,
        caller.id,
        idempotency_key,
        asked,
        lambda: _answer(shared, caller.name, images, scale),
    )
    if done.repeated:
        response.headers[REPEATED] = "true"
    named = [one | {"file": names[one["image"] - 1]} for one in done.answer["answers"]]
    return schemas.Classified(**done.answer | {"answers": named})


def _answer(shared: Shared, who: str, images: list[UploadFile], scale: Scale | None) -> dict[str, Any]:
    """The answers as JSON, without the names of files."""
    serving = shared.served.now()
    bundle, point = serving.bundle, serving.bundle.operating_point
    shared.metrics.serves(serving)
    batch = Batch(scale=scale)
    batch.add(Item(str(at), Source("", _bytes_of(image))) for at, image in enumerate(images, 1))
    classifier = shared.served.classifier(bundle)
    while batch.waiting:
        batch.work(classifier)
    results = batch.results
    answers = [one.answer for one in results]
    trouble, entry = [serving.notice] if serving.notice else [], None
    try:
        entry = on_record.record(
            shared.data, answers, bundle, point, who=who, door=DOOR, version=serving.version
        ).number
    except (LeukemiaError, OSError) as error:
        trouble.append(on_record.trouble(error))
    known = shared.served.learned(bundle)
    counts = decisions.count(answers, point)
    for word, number in counts.items():
        shared.metrics.answers.labels(word).inc(number)
    return schemas.Classified(
        answers=[_schema(one, point, known) for one in results],
        counts=counts,
        model=models.model(serving),
        limits=models.limits(point),
        on_record=entry,
        trouble=" ".join(trouble),
        notice=decisions.notice(bundle),
    ).model_dump()


def _schema(result: Result, point: OperatingPoint, known: Learned) -> schemas.Answer:
    answer, place = result.answer, result.answer.place
    held_out = known.held_out.get(answer.image_id)
    return schemas.Answer(
        image=int(result.item),
        file="",
        decision=decisions.state(answer, point),
        probability=answer.probability,
        reason=answer.error,
        note=answer.note,
        image_sha256=answer.image_id,
        cell_area_px=answer.area or None,
        learned_from=known.tells(answer.image_id, answer.lossy),
        held_out_probability=held_out,
        held_out_decision="" if held_out is None else decisions.decision(held_out, point),
        place=place and schemas.Place.model_validate(place, from_attributes=True),
        classified_at=answer.at,
    )


def _bytes_of(image: UploadFile) -> Any:
    """What reads an image when its turn comes, unless it is larger than any can be."""

    def load() -> bytes:
        if (image.size or 0) > sizes.FIELD.file_bytes:
            raise ImageError(sizes.FIELD.too_many_bytes)
        image.file.seek(0)
        return image.file.read()

    return load


def _scale(text: str) -> Scale | None:
    try:
        return scales.of_text(text.strip()) if text.strip() else None
    except ValueError as error:
        raise RequestError(NO_SCALE) from error
