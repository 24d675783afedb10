"""Learning rates by part: what was learned elsewhere moves less than the new head on it."""

from typing import Any

import keras
from keras import ops

HEAD = "probability"


def climb_and_fall(
    highest: float, steps: int, warmup: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Make a schedule: up to ``highest`` in a share ``warmup`` of all steps, then to zero by a cosine."""
    climbing = round(steps * warmup)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if climbing else highest,
        decay_steps=steps - climbing,
        warmup_target=highest if climbing else None,
        warmup_steps=climbing,
    )


@keras.saving.register_keras_serializable("leukemia")
class BodyAndHead(keras.optimizers.Adam):
    """AdamW whose learning rate is a share of the given one for all but the head's weights.

    Weight decay is decoupled (Loshchilov & Hutter, ICLR 2019), goes by each part's own rate and
    leaves biases alone.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        The head's.
    body_rate : float
        The body's learning rate as a share of the head's.
    decay : float
        Weight decay.
    head : str
        Name of the layer that is the head.
    **kwargs
        Adam's own settings.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        body_rate: float = 1.0,
        decay: float = 0.0,
        head: str = HEAD,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.body_rate, self.decay, self.head = body_rate, decay, head
        self._shares: list[float] = []

    def build(self, variables: list[keras.Variable]) -> None:
        """Note which variables are the head's."""
        self._shares = [1.0 if v.path.split("/")[0] == self.head else self.body_rate for v in variables]
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable by its own rate."""
        rate = ops.cast(learning_rate, variable.dtype) * self._shares[self._get_variable_index(variable)]
        if self.decay and len(variable.shape) > 1:
            self.assign_sub(variable, ops.multiply(variable, rate * self.decay))
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Return what a checkpoint needs to make it again."""
        return {
            **super().get_config(),
            "body_rate": self.body_rate,
            "decay": self.decay,
            "head": self.head,
        }
