"""What goes wrong as people sign in, in the server's log: a line each, in place of a library's traceback.

A provider that does not answer, or answers what it must not, is nothing that the program's code tells of.
"""

import logging

from leukemia.storage import files
from pages.components import streamlit_internals

LONGEST = 300


class OneLine(logging.Filter):
    """Puts the reason into the line and leaves the traceback out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record; all are kept."""
        if record.exc_info and (error := record.exc_info[1]):
            reason = files.shown(str(error))[:LONGEST]
            record.msg = f"{record.getMessage()} {type(error).__name__}: {reason}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def shorten() -> None:
    """Have what the sign-in logs in one line each; more than once is as once."""
    log = streamlit_internals.sign_in_log()
    if not any(isinstance(one, OneLine) for one in log.filters):
        log.addFilter(OneLine())
