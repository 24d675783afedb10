import os
import subprocess
import sys

import pytest

from leukemia.jobs import progress
from leukemia.settings import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.process]

# A network that learns a batch at a time; the request to end comes while the second one is made.
FIT = """
import os, signal
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from leukemia.jobs import signals
from leukemia.training.callbacks import StopOnRequest
signals.stop_cleanly()

class Batches(keras.utils.PyDataset):
    def __len__(self): return 50
    def __getitem__(self, index):
        if index == 1: os.kill(os.getpid(), signal.SIGTERM)
        return np.zeros((1, 2)), np.zeros((1, 1))

class Said(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None): print("begin", flush=True)
    def on_train_batch_end(self, batch, logs=None): print("end", flush=True)
    def on_epoch_end(self, epoch, logs=None): print("epoch", flush=True)

network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
network.compile("sgd", "mse")
try:
    with signals.undisturbed():
        network.fit(Batches(), verbose=0, callbacks=[Said(), StopOnRequest()])
    print("on")
except KeyboardInterrupt:
    print("stopped", int(network.optimizer.iterations))
"""


def test_a_training_that_is_asked_to_end_ends_between_two_batches(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FIT],
        cwd=PROJECT,
        env=os.environ | {progress.FOLDER: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    *seen, last = done.stdout.splitlines()
    batches = seen.count("end")
    assert seen == ["begin", "end"] * batches
    assert 0 < batches < 50
    assert last == f"stopped {batches}"
