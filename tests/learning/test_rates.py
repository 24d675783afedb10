import keras
import numpy as np
import pytest

from leukemia.learning.recipes import Training

CROPS = np.random.default_rng(0).random((16, 4)).astype(np.float32)
TARGETS = np.arange(16)[:, None] % 2


def network(training):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, activation="tanh", name="body")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(x))
    model.compile(training.optimizer(), loss="binary_crossentropy")
    return model


def moved(model, steps=1):
    """Largest change of each variable in some steps, by path."""
    before = {variable.path: variable.numpy() for variable in model.trainable_variables}
    for _ in range(steps):
        model.train_on_batch(CROPS, TARGETS)
    return {v.path: np.abs(v.numpy() - before[v.path]).max() for v in model.trainable_variables}


def test_the_body_moves_by_its_share_of_the_heads_rate():
    # Adam's first step is the learning rate itself, whatever the gradient.
    found = moved(network(Training(learning_rate=1e-2, body_rate=0.1)))
    assert {path: pytest.approx(step, rel=0.01) for path, step in found.items()} == {
        "body/kernel": 1e-3,
        "body/bias": 1e-3,
        "probability/kernel": 1e-2,
        "probability/bias": 1e-2,
    }


def test_the_rate_that_a_schedule_sets_is_shared_likewise():
    model = network(Training(learning_rate=1e-2, body_rate=0.1))
    model.optimizer.learning_rate = 2e-3
    found = moved(model)
    assert found["probability/kernel"] == pytest.approx(2e-3, rel=0.01)
    assert found["body/kernel"] == pytest.approx(2e-4, rel=0.01)


def test_weight_decay_goes_by_each_parts_rate_and_leaves_biases_alone():
    decay, still = (network(Training(learning_rate=1e-2, body_rate=0.5, weight_decay=d)) for d in (10, 1e-12))
    before = {variable.path: variable.numpy() for variable in decay.trainable_variables}
    moved(decay)
    moved(still)
    for one, other in zip(decay.trainable_variables, still.trainable_variables, strict=True):
        rate = {"probability/kernel": 0.1, "body/kernel": 0.05}.get(one.path, 0)
        assert np.allclose(other.numpy() - one.numpy(), rate * before[one.path], atol=1e-6), one.path


def test_a_saved_training_goes_on_as_the_unbroken_one(tmp_path):
    whole = network(Training(learning_rate=1e-2, body_rate=0.1, weight_decay=0.01))
    moved(whole, 3)
    whole.save(tmp_path / "kept.keras")
    resumed = keras.models.load_model(tmp_path / "kept.keras", safe_mode=True)
    assert (resumed.optimizer.body_rate, resumed.optimizer.decay) == (0.1, 0.01)
    moved(whole, 3)
    moved(resumed, 3)
    for one, other in zip(whole.variables, resumed.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy()), one.path


def test_without_rates_of_their_own_it_is_plain_adam():
    assert type(Training().optimizer()) is keras.optimizers.Adam
