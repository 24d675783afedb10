"""Who acts now: set by the door through which somebody came in.

A service says so for each request (:func:`acting_as`); the dashboard, whose scripts run on threads of their
own, names a function that knows (:func:`ask`). Where neither was done, as on the command line, it is whoever
works on this machine.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from leukemia.access.users import LOCAL, User

_acting: ContextVar[User | None] = ContextVar("leukemia_acting_user", default=None)
_asked: list[Callable[[], User]] = []


def user() -> User:
    """Who acts now.

    Raises
    ------
    AccessError
        As the function that was named by :func:`ask` raises it: nobody is signed in, or no longer.
    """
    if (given := _acting.get()) is not None:
        return given
    return _asked[-1]() if _asked else LOCAL


@contextlib.contextmanager
def acting_as(user: User) -> Iterator[User]:
    """Have a user act in what is done within, in this thread or task and those that it starts."""
    token = _acting.set(user)
    try:
        yield user
    finally:
        _acting.reset(token)


def ask(who: Callable[[], User]) -> None:
    """Name the function that knows who acts, for the rest of this process."""
    _asked[:] = [who]
