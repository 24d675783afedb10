import keras
import numpy as np
import pytest

from leukemia.networks import optimizer, recipe
from leukemia.networks.recipe import Training

CROPS = np.random.default_rng(0).random((16, 4)).astype(np.float32)
TARGETS = np.arange(16)[:, None] % 2


def network(training):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, activation="tanh", name="body")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(x))
    model.compile(recipe.optimizer(training), loss="binary_crossentropy")
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


def test_the_rate_climbs_to_its_highest_and_falls_to_zero():
    training = Training(epochs=5, cells_per_epoch=200, batch=10, learning_rate=1e-2, warmup=0.1)
    rate = [float(recipe.optimizer(training).learning_rate)] + [
        float(optimizer.warmup_cosine(1e-2, 100, 0.1)(step)) for step in range(101)
    ]
    assert rate[:2] == [0, 0]
    assert rate[6] == pytest.approx(5e-3)
    assert max(rate) == rate[11] == pytest.approx(1e-2)
    assert rate[56] == pytest.approx(5e-3)
    assert rate[-1] == pytest.approx(0, abs=1e-9)


def test_without_a_warmup_the_first_step_is_the_highest():
    schedule = optimizer.warmup_cosine(1e-2, 100)
    assert [float(schedule(step)) for step in (0, 50, 100)] == pytest.approx([1e-2, 5e-3, 0], abs=1e-9)


def test_a_warmup_is_shared_by_body_and_head():
    model = network(Training(learning_rate=1e-2, body_rate=0.1, warmup=0.01))
    found = moved(model, 2)
    assert 0 < found["probability/kernel"] < 1e-2
    assert found["body/kernel"] == pytest.approx(found["probability/kernel"] / 10, rel=0.1)


def test_weight_decay_goes_by_each_parts_rate_and_leaves_biases_alone():
    decay, still = (network(Training(learning_rate=1e-2, body_rate=0.5, weight_decay=d)) for d in (1, 1e-12))
    before = {variable.path: variable.numpy() for variable in decay.trainable_variables}
    moved(decay)
    moved(still)
    for one, other in zip(decay.trainable_variables, still.trainable_variables, strict=True):
        rate = {"probability/kernel": 0.01, "body/kernel": 0.005}.get(one.path, 0)
        assert np.allclose(other.numpy() - one.numpy(), rate * before[one.path], atol=1e-6), one.path


def settings(model):
    """Highest learning rate and weight decay of each variable, by path."""
    by_path = {}
    for variable in model.trainable_variables:
        own = model.optimizer.get_config()["optimizer_map"]
        own = keras.saving.deserialize_keras_object(own)[variable.path].get_config()
        rate = own["learning_rate"]["config"]["initial_learning_rate"]
        by_path[variable.path] = rate, own["weight_decay"]
    return by_path


def test_a_saved_training_goes_on_as_the_unbroken_one(tmp_path):
    whole = network(Training(learning_rate=1e-2, body_rate=0.1, weight_decay=0.01))
    moved(whole, 3)
    whole.save(tmp_path / "kept.keras")
    resumed = keras.models.load_model(tmp_path / "kept.keras", safe_mode=True)
    assert settings(resumed) == settings(whole)
    assert settings(resumed) == {
        "body/kernel": (pytest.approx(1e-3), 0.01),
        "body/bias": (pytest.approx(1e-3), None),
        "probability/kernel": (pytest.approx(1e-2), 0.01),
        "probability/bias": (pytest.approx(1e-2), None),
    }
    moved(whole, 3)
    moved(resumed, 3)
    for one, other in zip(whole.variables, resumed.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy()), one.path


def test_without_rates_of_their_own_it_is_plain_adam():
    assert type(recipe.optimizer(Training())) is keras.optimizers.Adam
