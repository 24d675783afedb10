"""Identifiers of cases and names of people, as they are kept."""

import unicodedata

from leukemia.attribution import MAX_WHO, clean
from leukemia.errors import RecordsError
from leukemia.storage import files

LONGEST = 200
# Joiners, of which some letters and emoji are made; other invisible characters may turn or hide text.
JOINERS = "\u200c\u200d"


def clean_identifier(text: str) -> str:
    """An identifier as it is kept; raises RecordsError where it cannot be."""
    name = normal(text)
    if not name:
        raise RecordsError("Please give the case an identifier. It need not be a name.")
    if len(name) > LONGEST:
        raise RecordsError(f"An identifier has at most {LONGEST} characters; this one has {len(name):,}.")
    if any(unicodedata.category(letter) in files.UNSHOWN and letter not in JOINERS for letter in name):
        raise RecordsError("The identifier has characters that cannot be shown. Please type it in.")
    return name


def reader_name(who: str) -> str:
    """A person's name as it is kept; raises RecordsError where it cannot be."""
    name = clean(who)
    if not name:
        raise RecordsError("Please give your name: it is kept with what you do.")
    if len(name) > MAX_WHO:
        raise RecordsError(f"A name can have at most {MAX_WHO} characters.")
    return name


def normal(text: str) -> str:
    """Text with single spaces and each letter written in one way."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
