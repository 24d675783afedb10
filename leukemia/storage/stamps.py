"""Names by the time, in an order that does not depend on the clock."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

FORMAT, LENGTH = "%Y%m%dT%H%M%S%f", 21


def following(names: Iterable[str]) -> str:
    """A stamp of the present time that sorts behind those with which ``names`` begin.

    Where the system clock was set back, it is the microsecond after the last one.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    for name in names:
        with contextlib.suppress(ValueError):
            now = max(now, datetime.strptime(name[:LENGTH], FORMAT) + timedelta(microseconds=1))
    return now.strftime(FORMAT)
