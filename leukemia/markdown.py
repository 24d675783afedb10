"""Text from files and people, shown as it is where Markdown is read."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&@/])")


def without_pictures(text: str) -> str:
    """Markdown whose pictures are written out, not fetched: whoever wrote it would learn who reads it."""
    return text.replace("![", "!\\[")


def plain(text: str) -> str:
    """Escape Markdown, Streamlit's directives, emoji codes and LaTeX, so that text stays text."""
    # Half a letter, from a file's name that is no text, cannot be sent to a browser.
    whole = text.encode("utf-8", "backslashreplace").decode()
    return _MARKS.sub(r"\\\1", " ".join(whole.split()))
