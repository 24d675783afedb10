"""What each role may do: one table, asked at each action, whatever a page or a service has shown."""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from leukemia.access import acting
from leukemia.access.users import Role, User
from leukemia.errors import AccessError

P = ParamSpec("P")
R = TypeVar("R")


class Action(StrEnum):
    """What can be done, as it stands in a sentence."""

    VIEW = "see this"
    EXAMINE = "have the images examined"
    CHANGE_OWN_JOBS = "change your own jobs"
    MAKE_CASES = "begin cases and add cells"
    CORRECT_FIELDS = "correct a case's fields by hand"
    SEND = "send cases to another system"
    GIVE_VERDICTS = "give verdicts"
    SETTLE = "settle disagreements"
    SIGN = "sign cases"
    REOPEN = "reopen cases"
    TRAIN = "start trainings"
    IMPORT = "import images"
    CORRECT_LABELS = "correct labels"
    VERIFY = "verify a version for a laboratory"
    ADD_VERSIONS = "add model versions"
    PROMOTE = "put a version in service"
    ROLL_BACK = "roll back the version in service"
    CHANGE_OTHERS_JOBS = "change the jobs of others"
    MANAGE_KEYS = "make and revoke keys"


NEEDS = {
    Action.VIEW: Role.VIEWER,
    Action.EXAMINE: Role.VIEWER,
    Action.CHANGE_OWN_JOBS: Role.VIEWER,
    Action.MAKE_CASES: Role.READER,
    Action.CORRECT_FIELDS: Role.READER,
    Action.SEND: Role.READER,
    Action.GIVE_VERDICTS: Role.READER,
    Action.SETTLE: Role.READER,
    Action.SIGN: Role.READER,
    Action.REOPEN: Role.READER,
    Action.TRAIN: Role.READER,
    Action.IMPORT: Role.MANAGER,
    Action.CORRECT_LABELS: Role.MANAGER,
    Action.VERIFY: Role.MANAGER,
    Action.ADD_VERSIONS: Role.MANAGER,
    Action.PROMOTE: Role.MANAGER,
    Action.ROLL_BACK: Role.MANAGER,
    Action.CHANGE_OTHERS_JOBS: Role.MANAGER,
    Action.MANAGE_KEYS: Role.MANAGER,
}


def may(user: User, action: Action) -> bool:
    """Whether a user's roles allow an action."""
    return NEEDS[action] in user.roles


def require(action: Action, user: User | None = None) -> User:
    """See that an action is allowed; return who acts.

    Parameters
    ----------
    action : Action
    user : User, optional
        By default, whoever acts now; see :mod:`leukemia.access.acting`.

    Raises
    ------
    AccessError
        Where it is not, in a sentence, or nobody is signed in.
    """
    user = acting.user() if user is None else user
    if not may(user, action):
        raise AccessError(
            f"Not done: to {action}, you need the role {NEEDS[action]}. Ask who manages access."
        )
    return user


def requires(action: Action, *, signed_by: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function ask for permission before anything else.

    Parameters
    ----------
    action : Action
    signed_by : str, optional
        The parameter that names who does it: where somebody is signed in, it is that name, whatever was
        given.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            user = require(action)
            if signed_by and user.is_signed_in:
                given: dict[str, Any] = signature.bind_partial(*args, **kwargs).arguments
                bound = signature.bind(**given | {signed_by: user.name})
                return function(*bound.args, **bound.kwargs)
            return function(*args, **kwargs)

        asked.action = action
        return asked

    return wrap
