"""Learning rates by layer: what was learned elsewhere moves less than the new head on it."""

import keras
from keras.optimizers import Adam, AdamW, MultiOptimizer, OptimizerMap, schedules

HEAD = "probability"


def warmup_cosine(highest: float, steps: int, warmup: float = 0.0) -> schedules.LearningRateSchedule:
    """Make a schedule: up to ``highest`` in a share ``warmup`` of all steps, then to zero by a cosine."""
    climbing = round(steps * warmup)
    return schedules.CosineDecay(
        0.0 if climbing else highest,
        decay_steps=steps - climbing,
        warmup_target=highest if climbing else None,
        warmup_steps=climbing,
    )


def body_and_head(
    highest: float, steps: int, *, warmup: float = 0.0, body_rate: float = 1.0, decay: float = 0.0
) -> keras.optimizers.Optimizer:
    """Make an AdamW whose learning rate is lower for all but the head's weights.

    Weight decay is decoupled (Loshchilov & Hutter, ICLR 2019), goes by the rate of each weight and
    leaves biases alone.

    Parameters
    ----------
    highest, steps, warmup
        The head's learning rate; see :func:`warmup_cosine`.
    body_rate : float, optional
        The body's learning rate as a share of the head's.
    decay : float, optional
        Weight decay.
    """

    def biases(share: float) -> Adam:
        return Adam(warmup_cosine(highest * share, steps, warmup))

    def kernels(share: float) -> Adam:
        rate = warmup_cosine(highest * share, steps, warmup)
        return AdamW(rate, weight_decay=decay) if decay else Adam(rate)

    # An exact path comes before a pattern. Whatever is neither (the shift and factor of a batch
    # normalisation) has one dimension, as biases have.
    by_path = {
        f"{HEAD}/kernel": kernels(1.0),
        f"{HEAD}/bias": biases(1.0),
        ".*kernel": kernels(body_rate),
    }
    return MultiOptimizer(OptimizerMap(biases(body_rate), by_path))
