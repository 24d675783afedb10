"""What no part of a record may hold, whether its field is known here or not."""

import math
from typing import Any

MAX_DEPTH, MAX_VALUES, MAX_TEXT = 12, 500_000, 10_000
LONGEST_PLACE = 200
Placed = tuple[str, Any]


def problem(content: Any) -> str:
    """Say in a clause what is wrong with values read from JSON; empty where nothing is.

    Numbers must be finite, texts such as can be written and shown, and all of it of a bounded size.
    """
    level: list[Placed] = [("it", content)]
    count = 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            return f"it holds more than {MAX_VALUES:,} values"
        for place, value in level:
            if clause := _problem(value):
                return f"{place} {clause}"
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return ""
    return f"it is nested more than {MAX_DEPTH} deep"


def _inside(placed: Placed) -> list[Placed]:
    place, value = placed
    start = "" if place == "it" else f"{place}."
    if isinstance(value, dict):
        names = [(f"a name in {place}", name) for name in value]
        return names + [(f"{start}{name}"[:LONGEST_PLACE], inner) for name, inner in value.items()]
    if isinstance(value, list):
        return [(f"{start}{number}", inner) for number, inner in enumerate(value)]
    return []


def _problem(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "should be a finite number"
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return f"should be a text of at most {MAX_TEXT:,} characters"
        # Half a character, as JSON can write it, can be neither shown nor stored.
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            return "should be a text"
    return ""
