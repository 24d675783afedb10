"""Boosted trees on what :mod:`leukemia.networks.morphology` measures, as a layer of the network that answers.

scikit-learn fits them (gradient boosting, [1]_), each on a random half of the cells and a few of the
measures at each branch. To answer they are arrays in a layer of Keras: nothing is pickled, and every
engine computes the same. A branch is taken by degrees where a measure lies close to its threshold [2]_,
so that the last digit of a measure never turns an answer.

References
----------
.. [1] Friedman JH. Stochastic gradient boosting. Comput Stat Data Anal 2002;38:367-378.
.. [2] Irsoy O, Yildiz OT, Alpaydin E. Soft decision trees. ICPR 2012.
"""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from sklearn.ensemble import GradientBoostingClassifier

from leukemia.classes import is_all
from leukemia.networks import head, morphology
from leukemia.networks.forward import outputs

DEPTH = 3
BRANCHES, LEAVES = 2**DEPTH - 1, 2**DEPTH
TREES = 600
RATE = 0.1
# Cells that a leaf holds at least, and the share of cells and of measures that a tree is fitted to.
LEAF = 30
CELLS, MEASURES = 0.5, 0.15
# Standard deviations of a measure over which a branch goes from one side to the other.
WIDTH = 1 / 32
# Where a tree ends early, what is beyond every measure keeps all cells on one side.
BEYOND = 30_000.0
BATCH = 32


@dataclass(frozen=True)
class Trees:
    """Trees of three branches in a row, all in half floats, as the engine's file keeps them.

    Attributes
    ----------
    middle, scale : numpy.ndarray
        What is taken from a measure, and what it is then divided by: shape (d,).
    measure : numpy.ndarray
        Which measure each branch asks for, the root first: int32, shape (trees, 7).
    threshold : numpy.ndarray
        From where on the cell goes right: shape (trees, 7).
    value : numpy.ndarray
        Logit of each leaf, from left to right: shape (trees, 8).
    start : float
        Logit before the first tree.
    """

    middle: np.ndarray
    scale: np.ndarray
    measure: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    start: float

    def logit(self, measures: np.ndarray) -> np.ndarray:
        """Logit of ALL for measures (n, d): float64, shape (n,)."""
        scaled = (np.asarray(measures, float) - self.middle) / self.scale
        out = [_answer(scaled[i : i + BATCH], self, np) for i in range(0, len(scaled), BATCH)]
        return np.concatenate(out) if out else np.empty(0)


@keras.saving.register_keras_serializable("leukemia")
class Boosted(layers.Layer):
    """Measures (n, d) to the trees' logit (n, 1); see :meth:`Trees.logit`.

    Parameters
    ----------
    trees : int
        How many there are.
    **kwargs
        Of every layer.
    """

    def __init__(self, trees: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.trees = trees

    def build(self, shape: tuple[int | None, int]) -> None:
        """Make the weights that :func:`layer` fills in."""

        def weight(name: str, *shape: int, dtype: str = "float32") -> keras.Variable:
            return self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name, dtype=dtype)

        self.middle, self.scale = weight("middle", int(shape[-1])), weight("scale", int(shape[-1]))
        self.measure = weight("measure", self.trees, BRANCHES, dtype="int32")
        self.threshold = weight("threshold", self.trees, BRANCHES)
        self.value = weight("value", self.trees, LEAVES)
        self.start = weight("start", 1)

    def call(self, measures: keras.KerasTensor) -> keras.KerasTensor:
        """Ask all trees."""
        return _answer((measures - self.middle) / self.scale, self, ops)[:, None]

    def get_config(self) -> dict[str, object]:
        """Return what a saved network needs to make the layer again."""
        return {**super().get_config(), "trees": self.trees}


def _answer(scaled: object, trees: "Trees | Boosted", on: object) -> object:
    """The trees' logits, by numpy or Keras (``on``): (n, d) to (n,)."""
    asked = on.take(scaled, trees.measure, axis=1)
    right = on.clip((asked - trees.threshold) * (1 / WIDTH) + 0.5, 0.0, 1.0)
    values = trees.value[None]
    for depth in reversed(range(DEPTH)):
        # Each branch of this depth lies between what its two sides say.
        taken = right[:, :, 2**depth - 1 : 2 ** (depth + 1) - 1]
        left, other = values[:, :, 0::2], values[:, :, 1::2]
        values = left + taken * (other - left)
    return on.sum(values[:, :, 0], axis=1) + trees.start


def layer(trees: Trees, stretch: float, measures: keras.KerasTensor) -> keras.KerasTensor:
    """Ask trees for ``stretch`` times their logit of measures (n, d): (n, 1)."""
    boosted = Boosted(len(trees.value), name="trees")
    out = boosted(measures)
    boosted.set_weights(
        [
            trees.middle,
            trees.scale,
            trees.measure,
            trees.threshold,
            trees.value * stretch,
            np.array([trees.start * stretch]),
        ]
    )
    return out


def fit_trees(measures: np.ndarray, cells: pd.DataFrame, seed: int) -> Trees:
    """Fit trees to measures of training cells, weighed as :func:`head.weights` says.

    Parameters
    ----------
    measures : numpy.ndarray
        float, shape (n, d).
    cells : pandas.DataFrame
        Their rows; columns label and patient_group.
    seed : int
    """
    measures = np.asarray(measures, float)
    middle = _half(measures.mean(axis=0))
    scale = np.maximum(_half(measures.std(axis=0)), np.finfo(np.float16).tiny)
    scaled = (measures - middle) / scale
    model = GradientBoostingClassifier(
        n_estimators=TREES,
        learning_rate=RATE,
        max_depth=DEPTH,
        subsample=CELLS,
        max_features=MEASURES,
        min_samples_leaf=LEAF,
        random_state=seed,
    )
    model.fit(scaled, is_all(cells["label"]), sample_weight=head.weights(cells))
    trees = [tree.tree_ for tree in model.estimators_[:, 0]]
    measure, threshold, value = (np.stack(part) for part in zip(*map(_complete, trees), strict=True))
    one = scaled[:1].astype(np.float32)
    start = model.decision_function(one)[0] - RATE * sum(tree.predict(one)[0, 0] for tree in trees)
    return Trees(middle, scale, measure, _half(threshold), _half(value * RATE), float(_half(start)))


def _half(values: np.ndarray) -> np.ndarray:
    return np.asarray(values).astype(np.float16).astype(float)


def _complete(tree: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make a tree of scikit-learn a whole one: measures and thresholds of branches, values of leaves."""
    measure, threshold = np.zeros(BRANCHES, np.int32), np.full(BRANCHES, BEYOND)
    nodes = [0]
    for place in range(BRANCHES):
        node = nodes[place]
        left, right = tree.children_left[node], tree.children_right[node]
        if left != right:
            measure[place], threshold[place] = tree.feature[node], tree.threshold[node]
            nodes += [left, right]
        else:
            nodes += [node, node]
    return measure, threshold, tree.value[nodes[BRANCHES:], 0, 0]


def measure(crops: np.ndarray, size: int) -> np.ndarray:
    """Measure cells; see :mod:`leukemia.networks.morphology`.

    Parameters
    ----------
    crops : numpy.ndarray
        uint8, shape (n, size or more, size or more, 3).
    size : int
        Side of the middle that is measured, in frame pixels.

    Returns
    -------
    numpy.ndarray
        float32, shape (n, len(morphology.NAMES)).
    """
    inputs = keras.Input((size, size, 3), dtype="uint8")
    model = keras.Model(inputs, morphology.Morphology()(inputs))
    return outputs(model, crops)[0]
