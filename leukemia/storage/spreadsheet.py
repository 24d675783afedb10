"""Tables that people open in a spreadsheet: text from files and people stays text there."""

import pandas as pd

# How a formula begins, also in the full-width letters of an East Asian keyboard.
FORMULA = "=+-@＝＋－＠"


def inert(text: str) -> str:
    """Text that no spreadsheet runs as a formula: with an apostrophe before what begins like one."""
    begins = text.lstrip()[:1]
    return f"'{text}" if (begins and begins in FORMULA) or text[:1] in ("\t", "\r", "\n") else text


def inert_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its text inert: on screen, where it can be downloaded, or to be written."""
    texts = table.select_dtypes(["object", "str"]).columns
    return table.assign(**{name: table[name].map(_inert) for name in texts})


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV text with a header line, its text inert."""
    return inert_texts(table).to_csv(index=False, lineterminator="\n")


def _inert(value: object) -> object:
    return inert(value) if isinstance(value, str) else value
