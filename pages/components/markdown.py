"""Text from files and the machine, shown as it is."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&@/])")


def plain(text: str) -> str:
    """Escape Markdown, Streamlit's directives, emoji codes and LaTeX, so that text stays text."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
