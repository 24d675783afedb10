"""How far a training is, shown while it runs."""

import sys

import keras
from tqdm import tqdm


class Steps(keras.callbacks.Callback):
    """A bar for each epoch with the running loss and recall."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Open the epoch's bar."""
        self._bar = tqdm(
            total=self.params["steps"], desc="Training", unit=" batches", leave=False, file=sys.stderr
        )

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Move the bar by a batch."""
        logs = logs or {}
        self._bar.set_postfix(
            loss=f"{logs.get('loss', 0):.3f}", recall=f"{logs.get('recall', 0):.3f}", refresh=False
        )
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Close the epoch's bar."""
        self._bar.close()
