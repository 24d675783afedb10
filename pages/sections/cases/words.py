"""What the Cases page says in more than one place."""

from collections.abc import Sequence

from leukemia.cases.case import Case
from leukemia.cases.worklist import EMPTY, IN_DISPUTE, READY, SIGNED, TO_REVIEW, Overview
from leukemia.counting import counted

STATE_MARKS = {
    EMPTY: ":material/hourglass_empty:",
    TO_REVIEW: ":material/visibility:",
    IN_DISPUTE: ":material/forum:",
    READY: ":material/task_alt:",
    SIGNED: ":material/lock:",
}
# Files that are named in a sentence.
MOST_NAMES = 5
NAME_FIRST = "Enter your name first: it is kept with what you do."


def left_to_do(one: Overview) -> str:
    """What must be done before a case can be signed, in a few words."""
    if one.state == SIGNED:
        return ""
    parts = []
    if one.unread:
        parts.append(f"{one.unread:,} need a verdict" if one.unread > 1 else "1 needs a verdict")
    if one.disputed:
        parts.append(f"{one.disputed:,} disputed")
    return ", ".join(parts) or (f"{one.with_verdict:,} of {one.cells:,} read" if one.cells else "")


def rules(case: Case) -> str:
    """How a case is to be read, as it was chosen; empty where it is read openly."""
    said = []
    if case.blind:
        said.append("Readers do not see each other's verdict on a cell before their own.")
    if case.hide_model:
        said.append("The model's answer is hidden until you have given your verdict; every cell needs one.")
    return " ".join(said)


def not_added(count: int) -> str:
    """How many files came too late for a case, in a sentence, and what can be done."""
    were, them = ("were", "them") if count > 1 else ("was", "it")
    return (
        f"{counted(count, 'file')} {were} not added, because the case was signed first. To add {them}, "
        f"reopen the case and drop {them} in again."
    )


def unread(names: Sequence[str]) -> str:
    """Which files could not be read, in a sentence with untrusted names."""
    several = len(names) > 1
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return (
        f"{counted(len(names), 'file')} could not be read: {', '.join(names[:MOST_NAMES])}{more}. "
        f"{'They have no picture and can' if several else 'It has no picture and can'} only be rejected."
    )
