"""What is answered where a request cannot be: JSON with a sentence, never a traceback."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from leukemia.errors import (
    AccessError,
    BundleError,
    LeukemiaError,
    RecordsError,
    RecordsUnavailableError,
    RegistryError,
    SessionEndedError,
)
from leukemia.settings import MAX_FILES, MAX_REQUEST_BYTES, RESEARCH_USE


class RequestError(LeukemiaError):
    """A request is not as the service takes it."""


class NotFoundError(LeukemiaError):
    """There is nothing at this address."""


class ConflictError(LeukemiaError):
    """What was asked contradicts what was asked or done before."""


# The first that fits; anything else that a user can put right is a bad request.
STATUS: dict[type[LeukemiaError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    RequestError: HTTPStatus.BAD_REQUEST,
    SessionEndedError: HTTPStatus.UNAUTHORIZED,
    AccessError: HTTPStatus.FORBIDDEN,
    RecordsUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    RegistryError: HTTPStatus.SERVICE_UNAVAILABLE,
    BundleError: HTTPStatus.SERVICE_UNAVAILABLE,
    ConflictError: HTTPStatus.CONFLICT,
    RecordsError: HTTPStatus.CONFLICT,
}
TOO_LARGE = f"The request is larger than {MAX_REQUEST_BYTES // 1024**2} MB. Send fewer images at a time."
SENTENCES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TOO_LARGE,
    HTTPStatus.NOT_FOUND: "There is nothing at this address. /docs lists all addresses.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method. /docs lists what it takes.",
}
WENT_WRONG = "Something went wrong. The details are in the server's log, under this request_id."
# What may be in a form, beside files; and what is said in place of Starlette's words, by how they begin.
FORM_FIELDS, FIELD_BYTES = 10, 10_000
NO_BODY = "What was sent cannot be read. /docs says what this address takes."
FORMS = {
    "Part exceeded": f"A field of the form is longer than {FIELD_BYTES:,} bytes. Images are sent as files.",
    "Field exceeded": f"A field of the form is longer than {FIELD_BYTES:,} bytes. Images are sent as files.",
    "Too many files": f"A request has at most {MAX_FILES} images. Send the others in a further one.",
    "Too many fields": f"A form has at most {FORM_FIELDS} fields beside its files.",
}
# In place of pydantic's words; {} is what was allowed.
WORDS = {
    "missing": "is missing",
    "literal_error": "must be one of {expected}",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "string_unicode": "must be text",
    "list_type": "must be a list",
    "json_invalid": "is not valid JSON",
    "model_attributes_type": "must be a JSON object",
    "extra_forbidden": "is not known here",
    "too_short": "must have at least {min_length} entry",
    "too_long": "must have at most {max_length} entries",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def answer(
    status: int, sentence: str, request_id: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A refusal as it is sent."""
    body = {"error": " ".join(sentence.split()), "request_id": request_id, "notice": RESEARCH_USE}
    return JSONResponse(body, status, dict(headers or {}))


def handle(app: FastAPI) -> None:
    """Have an application answer errors in sentences."""

    def of(request: Request, status: int, sentence: str, headers: Any = None) -> JSONResponse:
        return answer(status, sentence, request.scope.get("request_id", ""), headers)

    @app.exception_handler(LeukemiaError)
    def known(request: Request, error: LeukemiaError) -> JSONResponse:
        return of(request, status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        sentence = " ".join(sentences(error.errors()))
        return of(request, HTTPStatus.UNPROCESSABLE_ENTITY, sentence)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        said = SENTENCES.get(error.status_code) or _of_form(str(error.detail))
        return of(request, error.status_code, said, error.headers)

    @app.exception_handler(Exception)
    def unexpected(request: Request, _: Exception) -> JSONResponse:
        # It is raised again, and logged with the request's id by leukemia.api.door.
        return of(request, HTTPStatus.INTERNAL_SERVER_ERROR, WENT_WRONG)


def status_of(error: LeukemiaError) -> HTTPStatus:
    """The status that says of which kind an error is."""
    return next(
        (status for kind, status in STATUS.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST
    )


def sentences(errors: Sequence[Any]) -> Iterator[str]:
    """What is wrong with a request, in a sentence for each fault."""
    for one in errors:
        where = () if one["type"] == "json_invalid" else one["loc"][1:]
        said = WORDS.get(one["type"], "is not valid")
        if "UploadFile" in one["msg"]:
            said = "must be a file"
        yield f"{_named(*where)} {said.format(**one.get('ctx', {}))}."


def _named(name: str = "The body", *within: str | int) -> str:
    """What a fault is in; entries of a list are counted from 1."""
    for part in within:
        name = f"Entry {part + 1} of {name}" if isinstance(part, int) else f"{name}.{part}"
    return name


def _of_form(detail: str) -> str:
    return next((said for begin, said in FORMS.items() if detail.startswith(begin)), NO_BODY)
