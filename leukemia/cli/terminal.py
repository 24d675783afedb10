"""The three standard streams, whatever they are: closed, of few letters, a terminal that text may steer."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

# All control characters but the new line and the tab: as they would be typed in Python.
_STEERING = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}


class Shown:
    """A text stream that spells out what would steer a terminal, and letters that it does not know."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text as it can be shown."""
        return self._stream.write(plain(text, self._stream.encoding))


def plain(text: str, encoding: str | None = None) -> str:
    """Text that steers no terminal, in letters that an encoding (UTF-8) has."""
    encoding = encoding or "utf-8"
    return text.translate(_STEERING).encode(encoding, "backslashreplace").decode(encoding)


@contextlib.contextmanager
def streams() -> Iterator[None]:
    """Make the streams fit to be printed to, for as long as a command runs."""
    # A stream that is closed leaves its number to the next file that is opened: a library that writes a
    # word on it would write into a database.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    with contextlib.ExitStack() as stack:
        if sys.stderr is None:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123
            stack.enter_context(contextlib.redirect_stderr(nowhere))
        if sys.stdout is not None:
            stack.enter_context(contextlib.redirect_stdout(Shown(sys.stdout)))
        yield
