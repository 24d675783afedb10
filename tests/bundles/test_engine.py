"""The first questions of several threads to a network, in a program that has just begun."""

import subprocess
import sys

import pytest

from leukemia.settings import PROJECT
from tests.support.bundle_factory import write_bundle

# Threads change at every turn, and all come with their first array at once.
FIRST = """
import os, sys, threading
import numpy as np
from leukemia.bundles import bundle as bundles
from leukemia.inference.classifier import Classifier
sys.setswitchinterval(1e-6)
classifier = Classifier(bundles.read(sys.argv[1]))
free, start = classifier._free_requests(), threading.Barrier(2)
def ask(request):
    start.wait()
    request.infer(np.zeros((1, 256, 256, 3), np.uint8), share_inputs=True)
network = classifier._compile("LATENCY")
threads = [threading.Thread(target=ask, args=(network.create_infer_request(),), daemon=True) for _ in "12"]
for thread in threads: thread.start()
for thread in threads: thread.join(30)
os._exit(any(thread.is_alive() for thread in threads))
"""


@pytest.mark.process
@pytest.mark.slow
def test_threads_that_ask_at_once_do_not_wait_for_each_other_for_ever(tmp_path):
    folder = write_bundle(tmp_path / "bundle")
    # Without preparation, one in five programs stops here.
    for _ in range(12):
        command = [sys.executable, "-c", FIRST, str(folder)]
        assert subprocess.run(command, cwd=PROJECT, timeout=120).returncode == 0
