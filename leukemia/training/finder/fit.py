"""Train the network that finds cells; stopped, it resumes from its last finished epoch."""

from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from leukemia.imaging import reader
from leukemia.imaging.cell import foreground
from leukemia.imaging.scale import PIXEL_SIZE as CUT_OUT_SIZE
from leukemia.networks import cell_finder
from leukemia.networks.optimizer import warmup_cosine
from leukemia.training.finder import labelled_fields, targets
from leukemia.training.finder.patches import CutOut, Patches

BATCH, STEPS, CHECKS = 16, 100, 8  # patches a step, steps an epoch, steps that watch it
RATE, WARMUP, DECAY, AVERAGED = 2e-3, 0.05, 1e-3, 0.995
HELD_OUT = 10  # of so many fields one is kept to watch the training by
HISTORY = "history.csv"


class Batches(keras.utils.PyDataset):
    """Batches of patches, drawn as they are asked for."""

    def __init__(self, patches: Patches, steps: int) -> None:
        super().__init__(workers=1, max_queue_size=6)
        self._patches, self._steps = patches, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, number: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw a batch: fields uint8 (n, side, side, 3), and the answers to them."""
        drawn = [self._patches.draw() for _ in range(BATCH)]
        answers = {
            "places": np.stack([targets.places(one) for one in drawn]),
            "white": np.stack([targets.white(one) for one in drawn]),
        }
        return np.stack([one.pixels for one in drawn]), answers


def fit(
    fields: Path, cells: Iterable[Path], others: Iterable[Path], folder: Path, epochs: int
) -> keras.Model:
    """Train on the part ``train`` of a set of fields.

    Parameters
    ----------
    fields : Path
        See :func:`leukemia.training.finder.labelled_fields.read`.
    cells : iterable of Path
        Images of cells cut out on black at C-NMC's scale, to be pasted in.
    others : iterable of Path
        Pictures of other things.
    folder : Path
        Where the training is kept between its epochs.
    epochs : int

    Returns
    -------
    keras.Model
        Compiled; see :func:`leukemia.networks.cell_finder.build`.
    """
    known = list(labelled_fields.read(fields, "train"))
    pasted = [_cut_out(path) for path in cells]
    pictures = [reader.decode(reader.read(path)) for path in others]
    learn, watch = (
        [one for place, one in enumerate(known) if (place % HELD_OUT == 0) == held] for held in (False, True)
    )
    model = cell_finder.build()
    model.compile(
        keras.optimizers.AdamW(
            warmup_cosine(RATE, epochs * STEPS, WARMUP),
            weight_decay=DECAY,
            clipnorm=5.0,
            use_ema=True,  # the mean of the last steps' weights is kept in the end
            ema_momentum=AVERAGED,
        ),
        loss={"places": targets.places_loss, "white": targets.white_loss},
    )
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng()  # another draw each time that it resumes
    model.fit(
        Batches(Patches(learn, pasted, pictures, rng), STEPS),
        validation_data=Batches(Patches(watch, pasted, pictures, np.random.default_rng(0)), CHECKS),
        epochs=epochs,
        verbose=2,
        callbacks=[
            keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
            keras.callbacks.CSVLogger(folder / HISTORY, append=True),
            keras.callbacks.ModelCheckpoint(folder / "latest.keras"),
        ],
    )
    return model


def _cut_out(path: Path) -> CutOut:
    """A cell on black, brought to the scale at which fields are kept."""
    pixels = reader.decode(reader.read(path))
    reduced = round(labelled_fields.KEPT_SIZE / CUT_OUT_SIZE)
    mask = foreground(pixels)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = [
        slice(span[0], span[0] + (span[-1] + 1 - span[0]) // reduced * reduced) for span in (rows, columns)
    ]
    cut, seen = pixels[side[0], side[1]].astype(np.float32), mask[side[0], side[1]].astype(np.float32)
    shape = (cut.shape[0] // reduced, reduced, cut.shape[1] // reduced, reduced)
    share = seen.reshape(shape).mean(axis=(1, 3))
    mean = (cut * seen[..., None]).reshape(*shape, 3).mean(axis=(1, 3)) / np.maximum(share, 1e-3)[..., None]
    return CutOut(np.uint8(np.clip(mean, 0, 255)), share > 0.5)
