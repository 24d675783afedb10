"""Whether the engine of a bundle is one that can answer as its record says."""

from typing import TYPE_CHECKING

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError

if TYPE_CHECKING:
    import openvino

CANNOT = "The network in {} cannot be loaded."


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
