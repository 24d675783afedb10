"""The network that finds blood cells in a field: centres, boxes and the outline of white cells.

A small residual network down to one thirty-second of the side and up again. Centres are peaks of a map a
class [1]_, each with the distances to the four sides of its box [2]_; white cells have a map of their pixels,
too. It reads a field at :data:`leukemia.segmentation.network.PIXEL_SIZE` and is trained with red cells from
half to nearly twice that size, so that it can find them, and by them the scale, where nobody knows it.

References
----------
.. [1] Zhou X, Wang D, Krähenbühl P. Objects as Points. arXiv:1904.07850, 2019.
.. [2] Tian Z, Shen C, Chen H, He T. FCOS: Fully Convolutional One-Stage Object Detection. ICCV 2019.
"""

import keras
from keras import layers

# Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the side.
WIDTHS = (12, 24, 48, 72, 96)
BLOCKS = (0, 1, 1, 2, 1)
OUTLINE = 8
CLASSES = 3  # white cell, red cell, platelet
SIDES = 4  # left, top, right, bottom
PRIOR = -3.0  # logit of a centre before training: nearly every place is none


def build() -> keras.Model:
    """Make the network, with fresh weights.

    Returns
    -------
    keras.Model
        From uint8 RGB (n, height, width, 3), sides that 32 divides, to ``places``, float32 (n, height / 4,
        width / 4, 7): probabilities of a centre of each class, then log distances from here to the four sides
        in units of 16 pixels; and ``white``, float32 (n, height / 2, width / 2, 1): probability that a pixel
        belongs to a white cell.
    """
    field = keras.Input((None, None, 3), dtype="uint8", name="field")
    x = layers.Rescaling(1 / 127.5, -1.0)(field)
    steps = []
    for width, blocks in zip(WIDTHS, BLOCKS, strict=True):
        x = _convolution(x, width, strides=2)
        for _ in range(blocks):
            x = _residual(x)
        steps.append(x)
    for width, beside in zip(WIDTHS[3:0:-1], steps[3:0:-1], strict=True):
        x = _merge(x, beside, width)
    x = _convolution(x, WIDTHS[1])
    centres = layers.Conv2D(CLASSES, 1, bias_initializer=keras.initializers.Constant(PRIOR))(x)
    places = layers.Concatenate(name="places")(
        [layers.Activation("sigmoid")(centres), layers.Conv2D(SIDES, 1)(x)]
    )
    outline = _merge(x, steps[0], OUTLINE)
    white = layers.Conv2D(1, 1, activation="sigmoid", name="white")(outline)
    return keras.Model(field, {"places": places, "white": white}, name="cell_finder")


def _convolution(
    x: keras.KerasTensor, width: int, strides: int = 1, activation: str | None = "relu"
) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.97)(x)
    return layers.Activation(activation)(x) if activation else x


def _residual(x: keras.KerasTensor) -> keras.KerasTensor:
    width = x.shape[-1]
    return layers.Activation("relu")(
        layers.Add()([x, _convolution(_convolution(x, width), width, activation=None)])
    )


def _merge(x: keras.KerasTensor, beside: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Bring the coarser map to the side of the finer one, and both together."""
    x = layers.UpSampling2D(interpolation="nearest")(layers.Conv2D(width, 1, use_bias=False)(x))
    return _convolution(layers.Concatenate()([x, beside]), width)
