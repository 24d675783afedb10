"""From a prepared folder to a bundle: batches, callbacks, checkpoints, cross-validation, sweeps."""
