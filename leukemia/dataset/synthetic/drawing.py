"""One drawn cell: a stained lymphocyte or blast, cut out on black as in C-NMC 2019.

A cell is an outline in polar form, a rim of cytoplasm inside it, and chromatin: noise of several
grains, darkening the stain as dye does (each channel falls off exponentially with density). The
numbers were set beside real cells of C-NMC: areas, colours from the edge inwards, and how much
the grey levels vary at each scale.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from leukemia.classes import ALL, NORMAL

# Mean RGB of nuclei, of the cytoplasm at the edge and of their dark outermost line (levels).
NUCLEUS = np.array([68, 26, 77])
CYTOPLASM = np.array([90, 62, 114])
SPOTS = 0.28  # skew of the density towards bright spots
EDGE_LINE, EDGE_SHADE = 2.0, 0.78  # pixels, factor
# How strongly each channel answers to the amount of stain, and to its unevenness.
ABSORBANCE = (1.15, 1.05, 0.75)
UNEVENNESS = (1.0, 0.8, -0.4)
SENSOR_NOISE = 0.55  # standard deviation in levels

GRAINS = (3, 7, 14, 28, 64)  # pixels
ANGLES = 1024
HARMONICS = np.arange(2, 60)
# The widest a drawn cell may be about its middle, in pixels; the largest bounding box seen in a
# sample of C-NMC is 318 pixels.
REACH = 190
AREAS = (9_000, 72_000)
AREA_SPREAD, PATIENT_AREA_SPREAD = 0.23, 0.18  # of log area: within a patient, between patients


@dataclass(frozen=True)
class Appearance:
    """What all cells of one patient have in common: stain, light and size.

    Attributes
    ----------
    hue : float
        Shift from blue (negative) to red (positive), as a share of the channels.
    brightness : float
        Factor on all channels.
    size : float
        Factor on the cell's area.
    """

    hue: float = 0.0
    brightness: float = 1.0
    size: float = 1.0

    @classmethod
    def draw(cls, rng: np.random.Generator, *, size: float = 1.0) -> "Appearance":
        """Draw a patient whose cells' areas lie about ``size`` times those usual for the class."""
        return cls(
            hue=float(rng.normal(0, 0.025)),
            brightness=float(np.clip(rng.normal(1, 0.08), 0.8, 1.25)),
            size=float(size * rng.lognormal(0, PATIENT_AREA_SPREAD)),
        )


@dataclass(frozen=True)
class Kind:
    """How cells of one class are drawn.

    Attributes
    ----------
    area : float
        Median area in frame pixels.
    wobble : float
        How far the outline strays from a circle, as a share of the radius.
    rim : tuple of float
        Least and greatest width of the cytoplasm all around, in pixels.
    cleft : float
        Probability of a cleft in the nucleus.
    nucleoli : tuple of float
        Probabilities of none, one and two nucleoli.
    grains : tuple of float
        Strength of the chromatin at each of :data:`GRAINS`.
    clumping : float
        0: smooth variation; 1: clumps with an edge.
    brightness : float
        Factor on all channels of the nucleus: open chromatin lets more light through.
    """

    area: float
    wobble: float
    rim: tuple[float, float]
    cleft: float
    nucleoli: tuple[float, float, float]
    grains: tuple[float, ...]
    clumping: float
    brightness: float


KINDS = {
    NORMAL: Kind(
        area=25_500,
        wobble=0.035,
        rim=(3.0, 6.5),
        cleft=0.1,
        nucleoli=(0.92, 0.08, 0.0),
        grains=(0.008, 0.014, 0.034, 0.060, 0.050),
        clumping=0.7,
        brightness=0.97,
    ),
    ALL: Kind(
        area=36_000,
        wobble=0.05,
        rim=(1.5, 4.5),
        cleft=0.45,
        nucleoli=(0.0, 0.55, 0.45),
        grains=(0.010, 0.027, 0.036, 0.028, 0.045),
        clumping=0.0,
        brightness=1.02,
    ),
}


def draw_cell(
    rng: np.random.Generator, label: str, *, frame: int = 450, patient: Appearance | None = None
) -> np.ndarray:
    """Draw one stained cell, cut out on exact black.

    Parameters
    ----------
    rng : numpy.random.Generator
        The same state draws the same cell.
    label : str
        Normal (lymphocyte-like) or ALL (blast-like).
    frame : int, optional
        Side of the picture in pixels. The magnification stays C-NMC's: a larger frame adds black.
    patient : Appearance, optional
        The patient's appearance; without one each cell is of a patient of its own.

    Returns
    -------
    numpy.ndarray
        uint8, shape (frame, frame, 3), RGB.
    """
    kind = KINDS[label]
    appearance = patient or Appearance.draw(rng)
    outline = _outline(rng, kind, appearance)
    # Even, so that a cell's middle falls between pixels as a frame's does.
    side = 2 * math.ceil(outline.max() + 1)
    radius, angle = _polar(side)
    depth = outline[angle] - radius
    cytoplasm = _cytoplasm(rng, kind, depth, angle)
    density = _chromatin(rng, kind, side) - _nucleoli(rng, kind, math.sqrt((depth > 0).sum() / math.pi), side)
    levels = _stain(rng, appearance, kind, cytoplasm, density)
    levels *= np.where(depth < EDGE_LINE, np.float32(EDGE_SHADE), np.float32(1))
    levels += SENSOR_NOISE * rng.standard_normal((side, side), np.float32)
    cell = np.where(depth > 0, levels.clip(1, 255), 0).round().astype(np.uint8).transpose(1, 2, 0)
    return _in_frame(cell, frame, rng.integers(-6, 7, 2))


def _outline(rng: np.random.Generator, kind: Kind, appearance: Appearance) -> np.ndarray:
    """Radius at each of the angles, in pixels, about a cell of the kind's and the patient's size."""
    theta = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    wobble = kind.wobble * rng.lognormal(0, 0.3)
    spectrum = np.zeros(ANGLES // 2 + 1, complex)
    phase = np.exp(1j * rng.uniform(0, 2 * np.pi, len(HARMONICS)))
    spectrum[HARMONICS] = wobble * (2 / HARMONICS) ** 1.6 * rng.standard_normal(len(HARMONICS)) * phase
    shape = 1 + np.fft.irfft(spectrum, ANGLES) * ANGLES / 2
    # What the cutting-out left behind: spurs of a neighbour, and straight cuts through the rim.
    for _ in range(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1))):
        shape += rng.uniform(-0.05, 0.12) * _bump(theta, rng, (0.03, 0.14))
    if rng.random() < 0.15:
        towards = np.cos(theta - rng.uniform(0, 2 * np.pi))
        cut = rng.uniform(0.75, 0.95)
        shape = np.where(towards * shape > cut, cut / np.maximum(towards, cut / 2), shape)
    area = np.clip(kind.area * appearance.size * rng.lognormal(0, AREA_SPREAD), *AREAS)
    outline = shape * math.sqrt(area / (math.pi * (shape**2).mean()))
    return np.minimum(outline, REACH).astype(np.float32)


def _bump(theta: np.ndarray, rng: np.random.Generator, widths: tuple[float, float]) -> np.ndarray:
    """A bell of height 1 at a random angle, its width between ``widths`` radians."""
    away = np.angle(np.exp(1j * (theta - rng.uniform(0, 2 * np.pi))))
    return np.exp(-0.5 * (away / rng.uniform(*widths)) ** 2)


def _cytoplasm(rng: np.random.Generator, kind: Kind, depth: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Share of cytoplasm at each pixel, 0 (nucleus) to 1, from the depth below the outline."""
    theta = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    rim = rng.uniform(*kind.rim) + rng.uniform(0, 4) * _bump(theta, rng, (0.4, 1.2))
    if rng.random() < 0.3:  # the nucleus lies to one side
        rim += rng.uniform(6, 22) * _bump(theta, rng, (0.15, 0.4))
    if rng.random() < kind.cleft:
        rim += rng.uniform(8, 26) * _bump(theta, rng, (0.07, 0.16))
    softness = rng.uniform(1.2, 3.2)
    rim = rim.astype(np.float32)[angle]
    return 1 / (1 + np.exp(((depth - rim) / softness).clip(-20, 20)))


def _chromatin(rng: np.random.Generator, kind: Kind, side: int) -> np.ndarray:
    """Optical density of the chromatin about its mean, shape (side, side)."""
    fine, coarse = np.zeros((2, side, side), np.float32)
    for grain, strength in zip(GRAINS, kind.grains, strict=True):
        part = _noise(rng, side, grain)
        part *= strength * rng.lognormal(0, 0.3)
        if 7 < grain < 64:
            coarse += part
        else:
            fine += part
    if kind.clumping:
        spread = float(coarse.std())
        clumps = spread * np.tanh(2 * coarse / spread)
        coarse += kind.clumping * (clumps - coarse)
    density = fine + coarse
    spread = float(density.std())
    # Light between the strands makes small bright spots; nothing is as much darker than the rest.
    return -spread / SPOTS * np.expm1(-SPOTS / spread * density)


def _nucleoli(rng: np.random.Generator, kind: Kind, radius: float, side: int) -> np.ndarray:
    """Density that the nucleoli take away: paler discs with a faint dark ring, shape (side, side)."""
    away = np.zeros((side, side), np.float32)
    axis = np.arange(side, dtype=np.float32)
    for _ in range(rng.choice(3, p=kind.nucleoli)):
        where, turn = rng.uniform(0.1, 0.5) * radius, rng.uniform(0, 2 * np.pi)
        y, x = side / 2 + where * math.sin(turn), side / 2 + where * math.cos(turn)
        size = rng.uniform(0.08, 0.13) * radius
        stretch = rng.uniform(0.8, 1.25)
        apart = np.sqrt(((axis[:, None] - y) * (stretch / size)) ** 2 + ((axis - x) / (stretch * size)) ** 2)
        disc = 1 / (1 + np.exp(((apart - 1) * 5).clip(-20, 20)))
        ring = np.exp(-((apart - 1.4) ** 2) * 8)
        away += rng.uniform(0.07, 0.24) * (disc - 0.4 * ring)
    return away


def _stain(
    rng: np.random.Generator, appearance: Appearance, kind: Kind, cytoplasm: np.ndarray, density: np.ndarray
) -> np.ndarray:
    """Colour of each pixel in levels, float32, shape (3, side, side): quicker with channels apart."""
    hue = np.array([1 + appearance.hue, 1, 1 - appearance.hue]) * appearance.brightness
    nucleus = NUCLEUS * hue * kind.brightness * rng.normal(1, 0.05)
    pale = CYTOPLASM * hue * rng.uniform(0.92, 1.06)
    # Where the dye took unevenly, red and blue part company.
    uneven = 0.028 * _noise(rng, len(density), 40)
    veil = cytoplasm * np.exp(-0.3 * density)
    bare = 1 - cytoplasm
    out = np.empty((3, *density.shape), np.float32)
    for channel, (absorbance, shift) in enumerate(zip(ABSORBANCE, UNEVENNESS, strict=True)):
        stained = np.exp(shift * uneven - absorbance * density)
        out[channel] = float(nucleus[channel]) * bare * stained + float(pale[channel]) * veil
    return out


def _noise(rng: np.random.Generator, side: int, grain: int) -> np.ndarray:
    """Smooth noise, float32, shape (side, side): about 1 tall, its features ``grain`` pixels wide."""
    count = math.ceil(side / grain) + 4
    grid = Image.fromarray(rng.standard_normal((count, count), np.float32))
    left, top = rng.uniform(1, 2, 2)
    box = (left, top, left + side / grain, top + side / grain)
    return 1.25 * np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC, box))


def _polar(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Radius in pixels and index of the angle, each of shape (side, side), about the middle."""
    radius, angle = _widest_polar()
    inside = slice(REACH + 2 - side // 2, REACH + 2 + side // 2)
    return radius[inside, inside], angle[inside, inside]


@functools.cache
def _widest_polar() -> tuple[np.ndarray, np.ndarray]:
    middle = np.arange(2 * REACH + 4, dtype=np.float32) - (REACH + 1.5)
    y, x = middle[:, None], middle[None]
    turn = np.arctan2(y, x) / (2 * np.pi) * ANGLES
    return np.hypot(y, x), np.round(turn).astype(np.intp) % ANGLES


def _in_frame(cell: np.ndarray, frame: int, shift: np.ndarray) -> np.ndarray:
    """Lay a cell into the middle of a black frame, ``shift`` pixels aside; cut what stands out."""
    out = np.zeros((frame, frame, 3), np.uint8)
    side = len(cell)
    y, x = (frame - side) // 2 + shift
    y0, y1, x0, x1 = max(y, 0), min(y + side, frame), max(x, 0), min(x + side, frame)
    out[y0:y1, x0:x1] = cell[y0 - y : y1 - y, x0 - x : x1 - x]
    return out
