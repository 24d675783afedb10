"""The real cells that come with the program, to be tried on a page."""

from leukemia.dataset.demonstration import cells
from leukemia.imaging.scale import NATIVE
from leukemia.inference.answer import Source
from leukemia.inference.batch import Item

ABOUT = "The sample cells are real. Their labels were never published, and the model was not trained on them."


def items() -> list[Item]:
    """The cells, to be classified."""
    return [Item(f"sample {path.name}", Source.file(path, path.name, NATIVE)) for path in cells.files()]
