"""EfficientNet-Lite0 as Keras layers, for any backend.

Inverted bottlenecks of MobileNetV2 in EfficientNet-B0's proportions, without squeeze-and-excite and
with ReLU6 in place of swish, so that it is quick on a CPU. Layer names are fixed: weights find their
layer by name (:mod:`leukemia.networks.pretrained`).

Tan M, Le QV. EfficientNet: rethinking model scaling for convolutional neural networks. ICML 2019,
table 1. Liu R. Higher accuracy on vision models with EfficientNet-Lite. TensorFlow blog, 2020.
"""

import keras
from keras import layers

# What it was trained on: (pixel - 127) / 128, levels from 0 to 255.
PIXEL_MIDDLE, PIXEL_SPREAD = 127.0, 128.0
STEM, HEAD = 32, 1280
# The branch that reads a picture at half its scale.
HALVED = "halved_"
# The last block of each stage whose pictures are read, finest first: a 4th to a 32nd of the input's side.
STAGE_ENDS = (2, 4, 7, 10, 14)
# The paper's stages 2 to 8: blocks, kernel, stride of the first block, expansion, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EPSILON = 1e-3


def freeze(model: keras.Model, blocks: int) -> None:
    """Keep the stem and the first blocks as they are: what all pictures have in common, and most of the cost.

    Parameters
    ----------
    model : keras.Model
        Made with :func:`features`.
    blocks : int
        How many of the 16, counted from the picture; 0 freezes nothing, the stem neither.
    """
    parts = ("stem", *(f"block{number}" for number in range(blocks))) if blocks else ()
    for layer in model.layers:
        if layer.name.split("_")[0] in parts:
            layer.trainable = False


def features(x: keras.KerasTensor) -> keras.KerasTensor:
    """Put the network without its classifier on ``x``.

    Parameters
    ----------
    x : keras.KerasTensor
        Float, shape (n, height, width, 3), scaled as :data:`PIXEL_MIDDLE` and :data:`PIXEL_SPREAD` say.

    Returns
    -------
    keras.KerasTensor
        Shape (n, height / 32, width / 32, 1280).
    """
    return _convolve(_blocks(x)[-1], "head", HEAD)


def stages(x: keras.KerasTensor, branch: str = "") -> dict[str, keras.KerasTensor]:
    """Put the network on ``x`` as :func:`features` does; return the pictures of :data:`STAGE_ENDS`.

    Parameters
    ----------
    x : keras.KerasTensor
        See :func:`features`.
    branch : str, optional
        What the names of its layers begin with, where a network holds this one more than once.
    """
    pictures = _blocks(x, branch)
    return {f"{branch}block{number}": pictures[number] for number in STAGE_ENDS}


def classifier(size: int) -> keras.Model:
    """Make the network as it was trained on ImageNet: to check converted weights with.

    Parameters
    ----------
    size : int
        Side of its input in pixels.

    Returns
    -------
    keras.Model
        From scaled pixels (n, size, size, 3) to the logits of 1,000 classes (n, 1000).
    """
    inputs = keras.Input((size, size, 3))
    x = layers.GlobalAveragePooling2D()(features(inputs))
    return keras.Model(inputs, layers.Dense(1_000, name="classes")(x), name="efficientnet_lite0")


def _blocks(x: keras.KerasTensor, branch: str = "") -> list[keras.KerasTensor]:
    x, pictures = _convolve(x, f"{branch}stem", STEM, kernel=3, stride=2), []
    for blocks, kernel, stride, expansion, filters in STAGES:
        for position in range(blocks):
            first = stride if position == 0 else 1
            x = _block(x, f"{branch}block{len(pictures)}", kernel, first, expansion, filters)
            pictures.append(x)
    return pictures


def _block(
    x: keras.KerasTensor, name: str, kernel: int, stride: int, expansion: int, filters: int
) -> keras.KerasTensor:
    before, channels = x, x.shape[-1]
    if expansion > 1:
        x = _convolve(x, f"{name}_expand", channels * expansion)
    depthwise = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = _normalise(depthwise(x), f"{name}_depthwise")
    x = _convolve(x, f"{name}_project", filters, clip=False)
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([before, x])
    return x


def _convolve(
    x: keras.KerasTensor, name: str, filters: int, *, kernel: int = 1, stride: int = 1, clip: bool = True
) -> keras.KerasTensor:
    convolution = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)
    return _normalise(convolution(x), name, clip=clip)


def _normalise(x: keras.KerasTensor, name: str, *, clip: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_clip")(x) if clip else x
