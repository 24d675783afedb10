"""Time that a step of the system clock does not change, the same for all processes of a machine."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Counts through suspend as the system clock does; elsewhere than on Linux there is none, and no boot id.
_UPTIME = getattr(time, "CLOCK_BOOTTIME", None)


@cache
def boot_id() -> str:
    """What tells this start of the machine from others; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class Moment:
    """A point of time.

    Attributes
    ----------
    wall : float
        Seconds since 1970, by the system clock as it was then.
    boot : str
        :func:`boot_id` then; empty where it is not known.
    uptime : float
        Seconds since the machine was started.
    """

    wall: float
    boot: str = ""
    uptime: float = 0.0

    @classmethod
    def now(cls) -> "Moment":
        """Read both clocks."""
        if _UPTIME is None or not boot_id():
            return cls(time.time())
        return cls(time.time(), boot_id(), time.clock_gettime(_UPTIME))

    def elapsed(self) -> float:
        """Seconds since then: by the machine's uptime unless it was restarted, else by the system clock."""
        now = Moment.now()
        same_boot = self.boot and self.boot == now.boot
        return max(0.0, now.uptime - self.uptime if same_boot else now.wall - self.wall)
