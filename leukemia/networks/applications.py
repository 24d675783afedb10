"""The networks of ``keras.applications`` by name, for machines that can download their weights."""

import keras

from leukemia.errors import RecipeError


def scaled(name: str, x: keras.KerasTensor) -> keras.KerasTensor:
    """Scale float levels (n, size, size, 3) of 0 to 255 as the network called ``name`` saw them.

    Raises
    ------
    RecipeError
        Where ``keras.applications`` has no such network.
    """
    return _module(name).preprocess_input(x)


def features(name: str, x: keras.KerasTensor) -> keras.KerasTensor:
    """Put the network called ``name`` without its classifier on scaled pixels, with fresh weights.

    Returns
    -------
    keras.KerasTensor
        Shape (n, rows, columns, channels).
    """
    return _network(name, include_top=False, weights=None, input_tensor=x).output


def load(name: str, model: keras.Model) -> None:
    """Give the layers of the network called ``name`` in ``model`` their ImageNet weights.

    Raises
    ------
    RecipeError
        Where they cannot be downloaded.
    """
    try:
        donor = _network(name, include_top=False, weights="imagenet", input_shape=model.input_shape[1:])
    # keras.utils.get_file raises a plain Exception where an address does not answer.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RecipeError(f"The ImageNet weights of {name} cannot be downloaded: {reason}") from error
    given = [layer for layer in donor.layers if layer.weights]
    # Both were made by the same lines of Keras's, so their layers stand in the same order; the head is last.
    taking = [layer for layer in model.layers if layer.weights][: len(given)]
    for source, target in zip(given, taking, strict=True):
        target.set_weights(source.get_weights())


def _module(name: str) -> object:
    for module in vars(keras.applications).values():
        if hasattr(module, "preprocess_input") and hasattr(module, name):
            return module
    raise RecipeError(f"keras.applications has no network called {name!r}.")


def _network(name: str, **how: object) -> keras.Model:
    return getattr(_module(name), name)(**how)
