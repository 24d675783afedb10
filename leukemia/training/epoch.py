"""The batches of one epoch after another: drawn, cropped, augmented, by threads of Keras's.

Every random choice comes from (seed, epoch, place in the epoch), so that a resumed training sees what
the unbroken one would have seen.
"""

import keras
import numpy as np
import pandas as pd

from leukemia.classes import is_all
from leukemia.recipes.settings import Training
from leukemia.training.augmentation import augment
from leukemia.training.sampling import draw_epoch


class EpochBatches(keras.utils.PyDataset):
    """Augmented batches, made ahead of the network; :meth:`draw` begins the next epoch.

    Parameters
    ----------
    crops : numpy.ndarray
        uint8 RGB, shape (n, size + MARGIN, size + MARGIN, 3).
    cells : pandas.DataFrame
        Their rows; columns label and patient_group.
    rows : numpy.ndarray
        Positions of the cells to learn from.
    size : int
        Side of the network's input.
    training : Training
    seed, epoch : int
        Decide every draw.
    """

    def __init__(
        self,
        crops: np.ndarray,
        cells: pd.DataFrame,
        rows: np.ndarray,
        size: int,
        training: Training,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._crops, self._size, self._training = crops, size, training
        self._cells, self._rows, self._seed = cells.iloc[rows], rows, seed
        self._targets = is_all(cells["label"]).astype(np.float32)
        self.draw(epoch)

    def draw(self, epoch: int) -> None:
        """Draw the cells of an epoch; between two epochs, when no thread makes batches."""
        training = self._training
        self.epoch = epoch
        rng = np.random.default_rng((self._seed, epoch))
        self.order = self._rows[draw_epoch(self._cells, training.cells_per_epoch, rng, training.all_share)]

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._training.steps_per_epoch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return batch ``index``: crops uint8 (n, size, size, 3) and targets float32 (n, 1)."""
        start = index * self._training.batch
        rows = self.order[start : start + self._training.batch]
        pictures = [self._picture(row, place) for place, row in enumerate(rows, start + 1)]
        return np.stack(pictures), self._targets[rows, None]

    def _picture(self, row: int, place: int) -> np.ndarray:
        rng = np.random.default_rng((self._seed, self.epoch, place))
        return augment(self._crops[row], self._size, self._training, rng)
