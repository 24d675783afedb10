"""Who made a change, why, and when: one set of rules for every change that is kept on record."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from leukemia.errors import LeukemiaError

# Characters. MLflow takes more in a tag; a sentence or two is what a reader has use for.
MAX_WHO, MAX_WHY = 200, 2_000


@dataclass(frozen=True)
class Attribution:
    """Who, why and when; made by :func:`attribute`.

    Attributes
    ----------
    who, why : str
        As :func:`clean` leaves them: untrusted text.
    at : str
        ISO 8601, UTC, to the second.
    """

    who: str
    why: str
    at: str


def attribute(who: str, why: str, error: type[LeukemiaError]) -> Attribution:
    """Check the name and the reason that were given for a change; the time is now.

    Parameters
    ----------
    who, why : str
        Both are required; see :func:`clean`.
    error : type of LeukemiaError
        What to raise.

    Raises
    ------
    LeukemiaError
        An ``error``, where either is empty or longer than :data:`MAX_WHO` or :data:`MAX_WHY`.
    """
    who, why = clean(who), clean(why)
    if not who or not why:
        raise error("Please give your name and a reason: both are kept on record.")
    if len(who) > MAX_WHO or len(why) > MAX_WHY:
        raise error(f"A name can have at most {MAX_WHO} characters, a reason at most {MAX_WHY:,}.")
    return Attribution(who, why, datetime.now(UTC).isoformat(timespec="seconds"))


def clean(text: str) -> str:
    """Text that was typed, as it is kept: single spaces, and no letters that no database takes.

    Those are control characters, such as NUL, and halves of letters. Each letter is written in one way,
    Unicode's NFC: an accent may be typed as a part of its letter or after it, and readers are told apart by
    their names.
    """
    left_out = ("Cc", "Cs")
    kept = (letter for letter in text if letter.isspace() or unicodedata.category(letter) not in left_out)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))
