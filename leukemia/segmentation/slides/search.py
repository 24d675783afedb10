"""The search of a slide for white cells: part by part, in bounded memory, each on disk once it is done."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from leukemia.counting import counted
from leukemia.errors import ImageError
from leukemia.imaging.scale import Scale
from leukemia.imaging.slide import Slide
from leukemia.segmentation import boxes, find, focus
from leukemia.segmentation.network import PIXEL_SIZE, Network
from leukemia.segmentation.scale import FieldScale, stated
from leukemia.segmentation.segment import WhiteCell, outlined, shipped
from leukemia.segmentation.slides import plan, track
from leukemia.segmentation.slides.part import SlidePart
from leukemia.segmentation.slides.plan import Grid
from leukemia.segmentation.slides.state import Cells, State

# Cells at which a search ends, and those of a differential count.
MOST, DIFFERENTIAL = 2_000, 100
# Pixels of the working scale by which two readings of a cell may differ: one whose middle lies so near beyond
# the end of a part is kept as well, unless the neighbour has it already.
NEAR = 8
LOOKING, SEARCHING = "Looking for the smear", "Searching the slide"
NO_SCALE = (
    "The slide does not record how large one pixel is. State how many micrometres one pixel is (the option "
    "--pixel-size)."
)
DAMAGED = "This part of the slide is damaged and was not searched."
MORE_DAMAGED = "Another {:,} parts of the slide are damaged and were not searched."
FINGERPRINT = 64 * 1024  # bytes at both ends of the file
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """How a slide is searched.

    Attributes
    ----------
    most : int
        White cells at which the search ends.
    battlement : bool
        Whether it goes along the battlement track, and counts only cells that no edge cuts.
    pixel_size : float or None
        Micrometres per pixel, where they were stated.
    """

    most: int = MOST
    battlement: bool = False
    pixel_size: float | None = None


def search(
    path: Path,
    slide: Slide,
    file: Path,
    settings: Settings,
    network: Network | None = None,
    progress: Progress = lambda done, total, what: None,
) -> State:
    """Search a slide, or go on with a search where it was interrupted.

    Parameters
    ----------
    path : Path
        Of the slide.
    slide : Slide
        The same, open.
    file : Path
        Where the search is kept on disk; made where it is missing.
    settings : Settings
    network : Network, optional
        Other than the one that comes with the program.
    progress : callable, optional
        Called with the parts done, all parts, and what is being done.

    Returns
    -------
    State
        Open: to be closed by the caller.

    Raises
    ------
    ImageError
        Where the scale is neither recorded nor stated.
    StateError
        Where the file is of another search.
    """
    size = scale_of(slide, settings).pixel_size
    grid = Grid.of(slide, size)
    state = State(file, _identity(path, slide), asdict(settings))
    try:
        if not state.is_planned:
            holds = plan.look(slide, grid, lambda done, total: progress(done, total, LOOKING))
            state.plan(track.battlement(holds) if settings.battlement else track.reading(holds))
        network = network or shipped()
        known = state.boxes()
        counts = state.counts
        for done, (turn, place) in enumerate(state.waiting(), counts.done):
            if is_full(state, settings):
                break
            progress(done, counts.parts, SEARCHING)
            known = _search_part(slide, grid, size, network, state, turn, place, known)
        progress(counts.parts, counts.parts, SEARCHING)
    except BaseException:
        state.__exit__()
        raise
    return state


def scale_of(slide: Slide, settings: Settings) -> FieldScale:
    """The scale of a slide: as stated, else as it records it; raises ImageError where neither says it."""
    if settings.pixel_size is not None:
        return stated(Scale(settings.pixel_size, "as stated"))
    if slide.pixel_size is None:
        raise ImageError(NO_SCALE)
    return FieldScale(slide.pixel_size, "from the slide")


def is_full(state: State, settings: Settings) -> bool:
    """Whether as many cells were found as were asked for."""
    return (state.whole_cells if settings.battlement else state.counts.cells) >= settings.most


def cells(state: State, settings: Settings) -> Cells:
    """The cells that were asked for, in the order in which they were visited."""
    count = state.counts.cells
    return Cells(state, state.position(settings.most) if settings.battlement else min(count, settings.most))


def note(state: State, settings: Settings) -> str:
    """What a reader must know of how far a slide was searched."""
    counts = state.counts
    said = []
    if settings.battlement:
        said.append("visited along the battlement track")
    if is_full(state, settings):
        said.append(
            f"ended at {counted(settings.most, 'white cell')}: {counts.done:,} of {counts.parts:,} parts "
            "that hold anything were searched"
        )
    if blurred := state.blurred:
        said.append(f"{counted(blurred, 'part')} out of focus, in which cells may have been missed")
    if damaged := state.damaged():
        said.append(f"{counted(len(damaged), 'tile')} of the slide damaged and not searched")
    return "; ".join(said)


def _search_part(
    slide: Slide,
    grid: Grid,
    size: float,
    network: Network,
    state: State,
    turn: int,
    place: track.Place,
    known: np.ndarray,
) -> np.ndarray:
    """Search one part and put it on disk; return the boxes of all cells so far."""
    part = grid.read(slide, *place)
    found = find.find(part, network, size)
    core, near = np.array(grid.core(*place)), NEAR * PIXEL_SIZE / size
    white, red = (kind.moved(part.left, part.top) for kind in (found.white, found.red))
    x, y = white.middles.T
    inside = (x >= core[0] - near) & (x < core[2] + near) & (y >= core[1] - near) & (y < core[3] + near)
    new = [at for at in np.flatnonzero(inside) if not boxes.same_cell(known, white.sides[at]).any()]
    own = ((red.middles >= core[:2]) & (red.middles < core[2:])).all(axis=1)
    cells = [_in_slide(cell, part) for cell in outlined(part, found, new)]
    blurred = not part.damaged and focus.is_blurred(part, size)
    state.add(turn, cells, int(own.sum()), part.damaged, blurred=blurred)
    return np.concatenate([known, white.sides[new]])


def _in_slide(cell: WhiteCell, part: SlidePart) -> WhiteCell:
    """A cell of a part in pixels of the slide; one beside a damaged tile is cut as by an edge."""
    outline = replace(cell.outline, left=cell.outline.left + part.left, top=cell.outline.top + part.top)
    x, y = cell.x + part.left, cell.y + part.top
    beside = any(
        x < right and x + cell.width > left and y < bottom and y + cell.height > top
        for left, top, right, bottom in part.damaged
    )
    return replace(cell, x=x, y=y, outline=outline, edge=cell.edge or beside)


def _identity(path: Path, slide: Slide) -> dict[str, object]:
    """What tells a slide from another: its size, and its first and last bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        ends = file.read(FINGERPRINT)
        file.seek(max(0, size - FINGERPRINT))
        ends += file.read(FINGERPRINT)
    return {"bytes": size, "ends": hashlib.sha256(ends).hexdigest(), "sides": [slide.width, slide.height]}
