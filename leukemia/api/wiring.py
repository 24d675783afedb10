"""What routes ask for: what all requests share, and the key of this one."""

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from leukemia.access import permissions
from leukemia.access.keys import Key
from leukemia.access.permissions import Action
from leukemia.api import schemas

if TYPE_CHECKING:
    from leukemia.api.app import State

# The key was checked at the door; this tells OpenAPI that there is one.
_described = HTTPBearer(auto_error=False, description="An API key: python -m leukemia keys add NAME")


def _state(request: Request) -> "State":
    return request.app.state.leukemia


def _key(request: Request, _: Annotated[object, Depends(_described)]) -> Key:
    permissions.require(Action.VIEW)
    return request.scope["key"]


Shared = Annotated["State", Depends(_state)]
Caller = Annotated[Key, Depends(_key)]
REFUSALS = {
    status: {"model": schemas.Refused, "description": said}
    for status, said in {
        400: "The request is not as the service takes it.",
        401: "The API key is missing or not valid.",
        403: "The key's role does not allow it.",
        413: "The request is too large.",
        422: "The request is not valid.",
        429: "Too many requests.",
        503: "The records or the model cannot be used at the moment.",
    }.items()
}
MISSING = {404: {"model": schemas.Refused, "description": "There is no such thing."}}
CONFLICT = {409: {"model": schemas.Refused, "description": "It contradicts what was done before."}}
