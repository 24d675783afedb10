"""The state of a training on disk, so that a killed one goes on from its last finished epoch.

A checkpoint is committed by renaming ``state.json``: it names the network files that belong to it,
and files that it does not name are left over from a killed write.
"""

import hashlib
import json
import logging
import shutil
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras

from leukemia.storage.atomic import whole_file, write_text

STATE = "state.json"
# An optimizer that this program had before Keras had one like it.
OLD_OPTIMIZER = b"BodyAndHead"
OUTDATED = (
    "This training was started by an earlier version of the program. It starts again from the first epoch."
)


@dataclass
class State:
    """What a training has reached.

    Attributes
    ----------
    history : list of dict
        Metrics of each finished epoch.
    best_epoch : int
        Index of the epoch whose weights are kept; -1 before the first.
    last, best : str
        Names of the network files of the last and of the best epoch.
    run_id : str
        The MLflow run; empty where none was started.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    last: str = ""
    best: str = ""
    run_id: str = ""


class Checkpoint:
    """The folder of one training, named by all that decides its result.

    Parameters
    ----------
    parent : Path
        The folder of all.
    decided_by : dict
        Settings.
    data : str
        Fingerprint of what is learned from and evaluated on.
    """

    def __init__(self, parent: Path, decided_by: dict[str, object], data: str) -> None:
        text = json.dumps(decided_by, sort_keys=True, default=str)
        self._settings = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.folder = parent / f"{self._settings}-{_short(data)}"

    @staticmethod
    def is_of_other(name: str, data: str) -> bool:
        """Whether a folder of this name is that of a training on other data."""
        return name.rpartition("-")[2] != _short(data)

    def drop_stale(self) -> bool:
        """Remove what the same settings had reached on other data; whether there was any."""
        stale = [path for path in self.folder.parent.glob(f"{self._settings}-*") if path != self.folder]
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        return bool(stale)

    def read(self) -> State:
        """Return the state of a training that was broken off, or a fresh one."""
        try:
            state = State(**json.loads((self.folder / STATE).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return State()
        if state.last and self._is_outdated(state.last):
            logging.warning(OUTDATED)
            self.remove()
            return State()
        return state

    def _is_outdated(self, name: str) -> bool:
        with zipfile.ZipFile(self.folder / name) as archive:
            return OLD_OPTIMIZER in archive.read("config.json")

    def network(self, name: str, *, to_train: bool) -> keras.Model:
        """Load the network file ``name`` of this checkpoint, with its optimizer if it is to train on."""
        return keras.models.load_model(self.folder / name, compile=to_train, safe_mode=True)

    def write(self, state: State, model: keras.Model, *, is_best: bool) -> None:
        """Keep the network after an epoch; all of it or nothing.

        Raises
        ------
        OSError
            Where the disk is full; the checkpoint is then as it was before.
        """
        name = f"epoch-{len(state.history):03d}.keras"
        with whole_file(self.folder / name) as partial:
            model.save(partial)
        state.last = name
        if is_best:
            state.best = name
        self.save(state)
        for file in self.folder.glob("*.keras"):
            if file.name not in (state.last, state.best):
                file.unlink()

    def save(self, state: State) -> None:
        """Keep the state alone."""
        write_text(self.folder / STATE, json.dumps(asdict(state)))

    def remove(self) -> None:
        """Delete the checkpoint of a training that is done."""
        (self.folder / STATE).unlink(missing_ok=True)
        for file in self.folder.glob("*"):
            file.unlink()
        if self.folder.is_dir():
            self.folder.rmdir()


def _short(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()[:8]
