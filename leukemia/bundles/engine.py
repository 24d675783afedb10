"""The engine of a bundle: compiled to answer alike on every machine, and checked against the record.

Where a processor has no VNNI instructions, OpenVINO adds products of 8-bit integers in pairs, in 16 bits.
Weights that use all 8 bits overflow there without a word, and the answers are others [1]_: of 211 real ALL
cells, 153 were ALL-like on one machine and 96 on the next. What :mod:`leukemia.bundles.quantization` writes
uses 7 bits; an engine from elsewhere, or from before, is computed in floats.

References
----------
.. [1] Intel. oneDNN developer guide: nuances of int8 computations, "Processors with the Intel AVX2 or Intel
       AVX-512 support".
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError

if TYPE_CHECKING:
    import openvino

CANNOT = "The network in {} cannot be loaded."
# No short floats, whatever the processor offers.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
# Two products of a byte with such a weight fit into 16 bits.
LARGEST_WEIGHT = 64
_one_at_a_time = threading.Lock()


def prepare_arrays() -> None:
    """Have OpenVINO prepare for NumPy's arrays; to be called before several threads ask a network.

    It does so at the first array that it is given. Where two threads come with their first one at the same
    moment, each waits for the other, for ever.
    """
    import numpy as np
    import openvino

    with _one_at_a_time:
        openvino.Tensor(np.zeros(1, np.uint8))


def compiled(network: "Path | openvino.Model", **options: str | int | bool) -> "openvino.CompiledModel":
    """Compile a network for this processor, so that it answers as on any other.

    Parameters
    ----------
    network : Path or openvino.Model
        The network, or its file.
    **options : str, int or bool
        What else OpenVINO shall heed, such as ``PERFORMANCE_HINT``.

    Raises
    ------
    RuntimeError
        Where the file is no network; OpenVINO's own.
    """
    import openvino

    core = openvino.Core()
    model = core.read_model(network) if isinstance(network, Path) else network
    floats = {"LP_TRANSFORMS_MODE": "NO"} if _may_overflow(model) else {}
    return core.compile_model(model, "CPU", {**EXACT, **options, **floats})


def _may_overflow(model: "openvino.Model") -> bool:
    import numpy as np

    weights = (step for step in model.get_ordered_ops() if step.get_type_name() == "Constant")
    return any(
        np.abs(step.data.astype(np.int16)).max(initial=0) > LARGEST_WEIGHT
        for step in weights
        if step.get_output_element_type(0).get_type_name() == "i8"
    )


def check(bundle: bundles.Bundle) -> None:
    """Read the engine and check that it fits the record; quick, since nothing is compiled.

    Raises
    ------
    BundleError
        Where it is none, or reads or answers something else than the record says.
    """
    # With it comes NumPy: who only asks which bundle is in service has no need of either.
    import openvino

    try:
        network = openvino.Core().read_model(bundle.folder / bundles.ENGINE)
    except RuntimeError as error:
        raise BundleError(CANNOT.format(bundle.folder)) from error
    check_fits(network, bundle)


def check_fits(network: "openvino.Model | openvino.CompiledModel", bundle: bundles.Bundle) -> None:
    """Check that a network reads crops of the record's side and answers a probability, and a distance.

    Raises
    ------
    BundleError
        Where it does not.
    """
    import openvino

    side = bundle.input_size
    crops = openvino.PartialShape([-1, side, side, 3])
    reads = [one.get_partial_shape() for one in network.inputs]
    if len(reads) != 1 or not reads[0].compatible(crops):
        raise BundleError(f"The network in {bundle.folder} does not read crops of {side} pixels.")
    numbers = openvino.PartialShape([-1, 1])
    # A network that measures no distance would answer whatever it is shown.
    needed = 1 if bundle.novelty_limit is None else 2
    answers = [one.get_partial_shape() for one in network.outputs][:needed]
    if len(answers) < needed or not all(shape.compatible(numbers) for shape in answers):
        what = "a probability" if needed == 1 else "a probability and a distance"
        raise BundleError(f"The network in {bundle.folder} does not answer with {what}.")
