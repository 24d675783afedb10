"""Whether the engine of a bundle can answer as its record says; and what must be done before it is asked."""

import threading
from typing import TYPE_CHECKING

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError

if TYPE_CHECKING:
    import openvino

CANNOT = "The network in {} cannot be loaded."
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
