"""What somebody started is theirs to change; what others started takes a role."""

from leukemia.access import acting, permissions
from leukemia.access.permissions import Action
from leukemia.access.users import User


def action(user: User, owner: str) -> Action:
    """What a user does who changes a job, by the subject of whoever started it."""
    return Action.CHANGE_OWN_JOBS if owner == user.subject else Action.CHANGE_OTHERS_JOBS


def require_change(owner: str) -> User:
    """See that whoever acts may change a job; return who acts, or raise AccessError."""
    user = acting.user()
    return permissions.require(action(user, owner), user)
