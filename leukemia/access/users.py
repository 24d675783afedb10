"""Users and their roles."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from leukemia.attribution import clean


class Role(StrEnum):
    """What somebody may do: a viewer sees, a reader works on cases, a manager changes what all work with.

    None includes another, but whoever has any role may see.
    """

    VIEWER = "viewer"
    READER = "reader"
    MANAGER = "manager"


@dataclass(frozen=True)
class User:
    """Somebody who works with the program.

    Attributes
    ----------
    name : str
        The name that goes on record; empty for whoever works on this machine without signing in.
    subject : str
        What tells the user from every other one; empty without signing in.
    roles : frozenset of Role
    """

    name: str
    subject: str
    roles: frozenset[Role]

    @classmethod
    def of(cls, name: str, subject: str, roles: Iterable[Role]) -> "User":
        """A user, the name as it is kept now; whoever has any role may also see."""
        given = frozenset(roles)
        return cls(clean(name), subject, given | {Role.VIEWER} if given else given)

    @property
    def is_signed_in(self) -> bool:
        """Whether the name is known, and need not be given."""
        return bool(self.subject)


# On this machine without sign-in: whoever can start the program, or read its folder, can do all of it.
LOCAL = User.of("", "", Role)
