"""A training that was asked to end ends between two batches, not within one."""

import keras

from leukemia.jobs import signals


class StopAtBatchEnd(keras.callbacks.Callback):
    """End where the job was asked to end; for a ``fit`` within :func:`signals.undisturbed`."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Raise KeyboardInterrupt where the job was asked to end."""
        signals.stop_if_asked()
