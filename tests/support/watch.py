"""Programs under watch: what they would send out, and what they would leave in the home folder."""

import os
import subprocess
import sys
from pathlib import Path

from leukemia.settings import PROJECT

HOOK = Path(__file__).with_name("watched")
# All else of the environment stays out: some libraries report nothing in a test or under CI.
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "TMPDIR", "CHROMIUM")


class Watch:
    """An empty home folder, and notes of all that leaves the machine or would be left there."""

    def __init__(self, folder):
        self.home, self._notes = folder / "home", folder / "notes"
        self.home.mkdir()
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment |= {"HOME": str(self.home), "NOTES": str(self._notes), "PYTHONPATH": str(HOOK)}

    def run(self, *command, **settings):
        """Run Python with these arguments, in the project; returns what came of it."""
        return subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=PROJECT,
            env=self.environment | {name: str(value) for name, value in settings.items()},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def notes(self):
        """What a watched process did that it should not."""
        return self._notes.read_text().splitlines() if self._notes.exists() else []

    @property
    def started(self):
        """Command lines of all watched processes."""
        file = self._notes.with_name("notes.started")
        return file.read_text().splitlines() if file.exists() else []

    def check(self):
        """Nothing left the machine, and nothing was left at home."""
        assert self.notes == []
        assert [str(path) for path in self.home.rglob("*")] == []
