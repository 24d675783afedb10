"""Cases, their cells and reports as the holder of the key may see them; verdicts under the key's name."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.api import idempotency, schemas
from leukemia.api.errors import ConflictError, NotFoundError
from leukemia.api.routes import models
from leukemia.api.routes.classify import REPEATED
from leukemia.api.wiring import CONFLICT, MISSING, REFUSALS, Caller, Shared
from leukemia.cases import case as cases
from leukemia.cases import cells as case_cells
from leukemia.cases import verdicts, worklist
from leukemia.cases.case import Case
from leukemia.cases.cell import as_seen
from leukemia.cases.cells import Cell
from leukemia.cases.worklist import Overview
from leukemia.errors import RecordsError, RecordsUnavailableError
from leukemia.registry import answered_by
from leukemia.reports import case_files

router = APIRouter(prefix="/v1/cases", tags=["Cases"], responses=REFUSALS)
MOST = 500
# No case or cell has a larger number, and SQLite knows none.
LARGEST = 2**63 - 1
Kind = Literal["pdf", "html", "csv", "fhir.json", "hl7", "dicom.zip"]
assert set(Kind.__args__) == set(case_files.MEDIA_TYPES)


@router.get("", summary="The worklist")
def every(
    shared: Shared,
    caller: Caller,
    search: Annotated[str, Query(max_length=200, description="Part of the identifier.")] = "",
    first: Annotated[int, Query(ge=1, description="Where to begin, from 1.")] = 1,
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> schemas.Cases:
    """Cases, the last changed first."""
    found = worklist.worklist(shared.data, search=search, reader=caller.name)
    return schemas.Cases(cases=[_case(one) for one in found[first - 1 : first - 1 + most]], total=len(found))


@router.get("/{case_id}", summary="One case", responses=MISSING)
def one(shared: Shared, caller: Caller, case_id: int) -> schemas.OneCase:
    """One case."""
    _existing(shared, case_id)
    return schemas.OneCase(case=_case(worklist.overview(shared.data, case_id, reader=caller.name)))


@router.get("/{case_id}/cells", summary="Its cells", responses=MISSING)
def cells(shared: Shared, caller: Caller, case_id: int) -> schemas.Cells:
    """Its cells. What the case keeps back from a reader before her own verdict is left out."""
    _existing(shared, case_id)
    found = case_cells.cells(shared.data, case_id, reader=caller.name)
    return schemas.Cells(case=case_id, cells=[_cell(cell) for cell in found])


@router.post("/{case_id}/verdicts", summary="Give a verdict", responses=MISSING | CONFLICT)
def give(
    shared: Shared,
    caller: Caller,
    case_id: int,
    given: schemas.GivenVerdict,
    response: Response,
    idempotency_key: Annotated[str | None, Header(description="A repeated request is answered once.")] = None,
) -> schemas.Cells:
    """Give a verdict on cells, in the name of the key. Needs the role reader."""
    permissions.require(Action.GIVE_VERDICTS)
    case = _existing(shared, case_id)
    if unknown := [number for number in given.cells if abs(number) > LARGEST]:
        raise ConflictError(f"There is no cell {min(unknown)} in this case.")
    idempotency.check(idempotency_key)
    asked = idempotency.fingerprint("verdict", case_id, given.model_dump())
    # The verdict is written once even where the process dies before the answer is stored.
    act = idempotency_key and hashlib.sha256(f"{caller.id} {idempotency_key}".encode()).hexdigest()
    names: dict[int, str] = {}

    def write() -> dict[str, Any]:
        """The cells as JSON, without the names of files."""
        now = verdicts.give(
            shared.data,
            case_id,
            given.cells,
            given.verdict,
            reader=caller.name,
            reason=given.reason,
            key=act,
        )
        shared.metrics.verdicts.labels(given.verdict).inc(len(now))
        names.update(_names(now))
        seen = [_cell(replace(as_seen(cell, case, caller.name), name="")) for cell in now]
        return schemas.Cells(case=case_id, cells=seen).model_dump()

    done = idempotency.once(shared.data, caller.id, idempotency_key, asked, write)
    if done.repeated:
        response.headers[REPEATED] = "true"
        names = _names(case_cells.cells(shared.data, case_id))
    # A cell that was removed by hand since then is not listed any more, nor is its file.
    named = [one | {"file": names.get(one["number"], "")} for one in done.answer["cells"]]
    return schemas.Cells(**done.answer | {"cells": named})


@router.get(
    "/{case_id}/report.{kind}",
    summary="Its report",
    response_class=Response,
    responses=MISSING | CONFLICT | {200: {"content": {kind: {} for kind in case_files.MEDIA_TYPES.values()}}},
)
def report(shared: Shared, caller: Caller, case_id: int, kind: Kind) -> Response:
    """Its report, as under Cases on the dashboard."""
    case = _existing(shared, case_id)
    seen = case_cells.cells(shared.data, case_id, reader=caller.name)
    if case_files.is_kept_back(seen):
        raise ConflictError(case_files.KEPT_BACK)
    if reason := case_files.unavailable(kind, seen):
        raise ConflictError(reason)
    answered = partial(answered_by.find_latest, shared.data, in_service=lambda: shared.served.now().bundle)
    content = case_files.make(shared.data, case, kind, answered)
    headers = {"content-disposition": f'attachment; filename="{case_files.name(case, kind)}"'}
    return Response(content, media_type=case_files.MEDIA_TYPES[kind], headers=headers)


def _existing(shared: Shared, case_id: int) -> Case:
    if abs(case_id) > LARGEST:
        raise NotFoundError(f"There is no case number {case_id}.")
    try:
        return cases.find(shared.data, case_id)
    except RecordsUnavailableError:
        raise
    except RecordsError as error:
        raise NotFoundError(str(error)) from error


def _names(found: Iterable[Cell]) -> dict[int, str]:
    """The names of files by the numbers of cells; empty where the case keeps none."""
    return {cell.number: cell.name for cell in found}


def _case(one: Overview) -> schemas.Case:
    named = ("id", "identifier", "created_at", "created_by", "changed_at", "blind", "hide_model")
    signed = ("signed_at", "signed_by", "signed_meaning")
    return schemas.Case(
        **{name: getattr(one.case, name) for name in (*named, *signed)},
        **{name: getattr(one, name) for name in ("state", "cells", "decisions", "unread", "disputed")},
    )


def _cell(cell: Cell) -> schemas.Cell:
    named = ("number", "probability", "note", "model", "version", "record_sha256")
    state = ("status", "verdict", "others_hidden")
    return schemas.Cell(
        **{name: getattr(cell, name) for name in (*named, *state)},
        decision=cell.called,
        file=cell.name,
        image_sha256=cell.image_id,
        reason=cell.error,
        limits=None if cell.hidden else models.limits(cell.point),
        classified_at=cell.answered_at,
        counts_as=cell.final,
        readings=[schemas.Reading.model_validate(one, from_attributes=True) for one in cell.readings],
        settled_by=cell.decided.who if cell.decided else "",
        answer_hidden=cell.hidden,
        field=cell.field or None,
        place=cell.place and schemas.Place.model_validate(cell.place, from_attributes=True),
    )
