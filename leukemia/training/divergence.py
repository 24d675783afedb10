"""A training whose loss grows beyond all numbers ends, instead of learning nothing to its last epoch."""

import math

import keras

from leukemia.errors import LeukemiaError


class Diverged(LeukemiaError):
    """A training whose loss is no number any more."""


class WatchLoss(keras.callbacks.Callback):
    """Raise :class:`Diverged` after the batch at which the loss is no number any more."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the loss."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            raise Diverged("The loss is no number any more: the steps were too large.")
