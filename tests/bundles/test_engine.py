"""The engine on processors of other kinds, and the first questions of several threads to it."""

import json
import os
import subprocess
import sys

import numpy as np
import openvino
import pytest
from openvino import opset13 as layers

from leukemia.bundles import engine
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

# What a program says of all bytes, and of the cells that come with the program, on a processor without VNNI.
# OpenVINO's own library heeds the name.
OLDER = dict(os.environ, ONEDNN_MAX_CPU_ISA="AVX2")
OF_BYTES = """
import json, sys
from pathlib import Path
import numpy as np
from leukemia.bundles import engine
(out,) = engine.compiled(Path(sys.argv[1]))(np.full((1, 64, 8, 8), 250, np.uint8)).values()
print(json.dumps(out.ravel().tolist()))
"""
OF_CELLS = """
import json, sys
from leukemia.dataset.demonstration import cells
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.settings import SHIPPED
paths = cells.files()
answers = Classifier.load(SHIPPED).classify(map(Source.file, paths))
print(json.dumps([[one.probability, one.distance] for one in answers]))
"""


def told(program, *arguments, environment=None):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    run = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True, timeout=300)
    return json.loads(run.stdout.splitlines()[-1])


def write_int8(path, weight):
    """A convolution of bytes with weights of one size, as NNCF writes one."""
    crops = layers.parameter([1, 64, 8, 8], np.uint8)
    x = layers.convert(crops, "f32")
    low, high = (layers.constant(np.float32(end)) for end in (0, 255))
    x = layers.fake_quantize(x, low, high, low, high, 256)
    weights = layers.constant(np.full((16, 64, 3, 3), weight, np.int8))
    scale = layers.constant(np.full((16, 1, 1, 1), 0.001, np.float32))
    kernel = layers.multiply(layers.convert(weights, "f32"), scale)
    x = layers.convolution(x, kernel, [1, 1], [1, 1], [1, 1], [1, 1])
    openvino.save_model(openvino.Model([x], [crops], "bytes"), path, compress_to_fp16=False)
    return path


@pytest.mark.process
@pytest.mark.parametrize("weight", [127, engine.LARGEST_WEIGHT])
def test_weights_that_an_older_processor_would_overflow_give_the_same_answers(tmp_path, weight):
    path = write_int8(tmp_path / "bytes.xml", weight)
    exact = 250 * weight * 0.001 * 64 * 9
    for environment in (OLDER, None):
        assert max(told(OF_BYTES, path, environment=environment)) == pytest.approx(exact, rel=1e-3)


@pytest.mark.process
@pytest.mark.slow
def test_the_shipped_model_answers_alike_on_an_older_processor():
    older, newer = told(OF_CELLS, environment=OLDER), told(OF_CELLS)
    assert len(newer) == 16
    assert np.array_equal(np.array(older, float), np.array(newer, float), equal_nan=True)


@pytest.mark.process
@pytest.mark.slow
def test_threads_that_ask_at_once_do_not_wait_for_each_other_for_ever(tmp_path):
    folder = write_bundle(tmp_path / "bundle")
    # Without preparation, one in five programs stops here.
    for _ in range(12):
        command = [sys.executable, "-c", FIRST, str(folder)]
        assert subprocess.run(command, cwd=PROJECT, timeout=120).returncode == 0
