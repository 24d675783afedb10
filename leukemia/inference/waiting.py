"""Where the pixels of a session's fields wait, should a cell be outlined by hand or a case be made of them.

A folder of the session's own below the data folder, not its memory. It is removed with its owner; what a
program that was killed left is removed when the next one first keeps a field.
"""

import contextlib
import weakref
from pathlib import Path

from PIL import Image

from leukemia.segmentation import kept
from leukemia.storage import atomic, private

# Bytes of fields that wait at the most.
MOST = 2 * 1024**3


class WaitingFields:
    """Fields of one session.

    Parameters
    ----------
    place : Path
        The folder in which it makes its own once a field is kept; made where it is missing.
    most : int, optional
        Bytes from which no further field is kept.
    """

    def __init__(self, place: Path, most: int = MOST) -> None:
        self._place, self._most = place, most
        self._folder: Path | None = None
        # It lasts as long as this object; no reference to that here, or it would last for ever.
        self._held = contextlib.ExitStack()
        weakref.finalize(self, self._held.close)

    def keep(self, image: Image.Image, image_id: str) -> Path | None:
        """Keep a field's pixels; None where there is no room for them, or none on the disk."""
        try:
            if self._folder is None:
                private.make_folder(self._place)
                self._folder = self._held.enter_context(atomic.partial_folder(self._place))
                self._folder.chmod(0o700)
            if sum(file.stat().st_size for file in self._folder.iterdir()) > self._most:
                return None
            return kept.save(self._folder, image, image_id)
        except OSError:
            return None

    def drop(self, file: Path) -> None:
        """Remove a field that is not needed any more; that of another folder is left alone."""
        if file.parent == self._folder:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
