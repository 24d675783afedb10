"""The engine's convolutions in 8-bit integers, where the labelled cells show that nothing is lost by it.

Post-training quantisation by NNCF [1]_: ranges come from a few hundred training cells, weights have a scale a
channel. The pixels' preparation, the last layer and the distance stay in full precision. So do the first
convolution, since the fine differences of colour that it reads are below the steps of 8 bits, and depthwise
ones, whose channels differ too much for one range. NNCF is needed to make such an engine, not to run it.

References
----------
.. [1] Kozlov A, Lazarevich I, Shamporov V, Lyalyushkin N, Gorbachev Y. Neural Network Compression Framework
       for fast model inference. arXiv:2002.08679, 2020.
"""

import importlib.util
import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np
import openvino
from sklearn.metrics import roc_auc_score

from leukemia.bundles import engine as engines
from leukemia.bundles import schema
from leukemia.imaging.cell import center_crop
from leukemia.jobs import progress, signals

FULL, SHORT = "f32", "int8"
# What int8 may change on the labelled cells: the AUROC, the share of cells that get another decision, and the
# share that change the side of the novelty limit: no more than that limit sets apart. No ALL-like cell may
# become Normal-like.
AUROC_DIFFERENCE = 0.003
DECISION_CHANGES = 0.01
NOVELTY_CHANGES = 0.01
BATCH = 8
NOT_ASKED = "The recipe does not ask for int8."
NOT_INSTALLED = "NNCF is not installed."
CONVOLUTIONS = ("Convolution", "GroupConvolution")


@dataclass(frozen=True)
class LabelledCells:
    """Cells that an engine is calibrated with and judged on.

    Attributes
    ----------
    crops : numpy.ndarray
        uint8 RGB, shape (m, side, side, 3), at least as wide as the network's input. May be a memory map.
    rows : numpy.ndarray
        Positions in ``crops`` of the cells that it is judged on, int, shape (n,).
    is_all : numpy.ndarray
        Their labels, bool, shape (n,).
    calibration : numpy.ndarray
        Positions in ``crops`` of the training cells that set the ranges, int.
    """

    crops: np.ndarray
    rows: np.ndarray
    is_all: np.ndarray
    calibration: np.ndarray

    def batches(self, rows: np.ndarray, size: int, count: int, what: str) -> Iterator[np.ndarray]:
        """Some crops in order, ``count`` at a time, cut to ``size`` pixels; the job calls it ``what``."""
        for start in range(0, len(rows), count):
            signals.stop_if_asked()
            progress.current().progress(start, len(rows), what)
            yield np.ascontiguousarray(center_crop(self.crops[rows[start : start + count]], size))


@dataclass(frozen=True)
class Answers:
    """What an engine says of all cells: probability and distance, shape (n,) each; None: no distance."""

    probability: np.ndarray
    distance: np.ndarray | None


def choose(
    network: openvino.Model, training: schema.Training, cells: LabelledCells | None
) -> tuple[openvino.Model, schema.Engine]:
    """Quantise an engine, if that is asked for and loses nothing.

    Parameters
    ----------
    network : openvino.Model
        In full precision; it is left as it is.
    training : schema.Training
        Its threshold, band and novelty limit say what a change of an answer is.
    cells : LabelledCells or None
        All labelled cells that the training used; None where the recipe does not ask for int8.

    Returns
    -------
    openvino.Model
        ``network``, or the one in int8.
    schema.Engine
        Which it is, and why.
    """
    if cells is None:
        return network, schema.Engine(precision=FULL, reason=NOT_ASKED)
    if not importlib.util.find_spec("nncf"):
        return network, schema.Engine(precision=FULL, reason=NOT_INSTALLED)
    progress.current().step("Making the engine in 8-bit integers")
    short = quantize(network, cells)
    full = _answers(network, cells, "Answers in full precision")
    judged = judge(full, _answers(short, cells, "Answers in 8-bit integers"), training, cells)
    return (short if judged.precision == SHORT else network), judged


def quantize(network: openvino.Model, cells: LabelledCells) -> openvino.Model:
    """Quantise the convolutions between the prepared pixels and the last layer; see the module's notes."""
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    size = network.input(0).partial_shape[1].get_length()
    crops = list(cells.batches(cells.calibration, size, 1, "Reading training cells"))
    # Not by its own function, which also sets the level of handlers that others put on its logger.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    # It draws progress bars, which a job's log does not need.
    with redirect_stdout(io.StringIO()):
        return nncf.quantize(
            network.clone(),
            nncf.Dataset(crops),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(crops),
            fast_bias_correction=True,
            ignored_scope=nncf.IgnoredScope(names=_in_full_precision(network), validate=False),
            # The widest range seen, not the mean of the cells' ranges: an odd cell must not look ordinary.
            advanced_parameters=AdvancedQuantizationParameters(
                activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
                # Weights of 7 bits: the same answers where a processor has no VNNI, see the module `engine`.
                overflow_fix=OverflowFix.ENABLE,
            ),
        )


def judge(full: Answers, short: Answers, training: schema.Training, cells: LabelledCells) -> schema.Engine:
    """Compare the answers in int8 with those in full precision; which precision is used, and why.

    Parameters
    ----------
    full, short : Answers
        Of the same cells.
    training : schema.Training
    cells : LabelledCells
    """
    point = training.operating_point
    low, high = point.limits
    turned = int(((full.probability >= high) & (short.probability < low)).sum())
    decided = float((point.call(full.probability) != point.call(short.probability)).mean())
    before, after = (float(roc_auc_score(cells.is_all, one.probability)) for one in (full, short))
    difference = after - before
    moved = _novelty_changes(full, short, training.novelty)
    reasons = [
        f"the AUROC changes by {difference:+.4f}" * (abs(difference) > AUROC_DIFFERENCE),
        f"{turned} ALL-like {'cell becomes' if turned == 1 else 'cells become'} Normal-like" * bool(turned),
        f"{decided:.1%} of cells get another decision" * (decided > DECISION_CHANGES),
        f"{moved:.1%} of cells change the side of the novelty limit" * (moved > NOVELTY_CHANGES),
    ]
    reason = "; ".join(filter(None, reasons))
    return schema.Engine(
        precision=FULL if reason else SHORT,
        reason=f"In int8, {reason}." if reason else "",
        auroc_difference=round(difference, 6),
        largest_change=round(float(np.abs(short.probability - full.probability).max()), 6),
        calibrated_on=len(cells.calibration),
        judged_on=len(cells.rows),
    )


def _novelty_changes(full: Answers, short: Answers, novelty: schema.Novelty | None) -> float:
    if novelty is None or full.distance is None or short.distance is None:
        return 0.0
    return float(((full.distance <= novelty.limit) != (short.distance <= novelty.limit)).mean())


def _answers(network: openvino.Model, cells: LabelledCells, what: str) -> Answers:
    engine = engines.compiled(network)
    size = network.input(0).partial_shape[1].get_length()
    outs = [
        [array[:, 0] for array in engine(crops).values()]
        for crops in cells.batches(cells.rows, size, BATCH, what)
    ]
    probability, *distance = (np.concatenate(arrays) for arrays in zip(*outs, strict=True))
    return Answers(probability, distance[0] if distance else None)


def _in_full_precision(network: openvino.Model) -> list[str]:
    """Names of what is not quantised: all up to the first convolution, all after the last, depthwise ones."""
    steps = [(step.get_type_name(), step.get_friendly_name()) for step in network.get_ordered_ops()]
    convolutions = [place for place, (kind, _) in enumerate(steps) if kind in CONVOLUTIONS]
    if not convolutions:
        return [name for _, name in steps]
    first, last = convolutions[0] + 1, convolutions[-1]
    return [
        name
        for place, (kind, name) in enumerate(steps)
        if kind != "Constant" and (not first <= place <= last or kind == "GroupConvolution")
    ]
