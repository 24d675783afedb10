"""The real cells that come with the program, to be tried on a page."""

from collections.abc import Sequence

from leukemia.counting import counted
from leukemia.dataset.demonstration import cells
from leukemia.imaging.scale import NATIVE
from leukemia.inference.answer import Source
from leukemia.inference.batch import Item

ABOUT = "The sample cells are real. Their labels were never published, and the model was not trained on them."


def items() -> list[Item]:
    """The cells, to be classified."""
    return [Item(f"sample {path.name}", Source.file(path, path.name, NATIVE)) for path in cells.files()]


def credit(image_ids: Sequence[str]) -> str:
    """What is said of the sample cells among some cells, and whose they are; empty where there is none."""
    shipped = {record.image_id for record in cells.records()}
    number = sum(one in shipped for one in image_ids)
    if not number:
        return ""
    among = f"Of these cells, {counted(number, 'is a sample cell', 'are sample cells')}. "
    return f"{among if number < len(image_ids) else ''}{ABOUT} {cells.CREDIT}"
