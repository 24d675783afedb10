"""Callbacks of Keras for tests that watch, alter or break off a training."""

from collections.abc import Callable

import keras


class AfterEpoch(keras.callbacks.Callback):
    """Call a function with the part's name, the epoch and its metrics after each epoch."""

    def __init__(self, function: Callable[[str, int, dict[str, float]], object]) -> None:
        super().__init__()
        self._function = function

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Call it; when it raises, the training breaks off there."""
        self._function(self.params["part"], epoch, dict(logs or {}))
