"""The data set: what it holds, its cells, what is wrong with it, and where it came from."""

import streamlit as st

from leukemia import settings
from leukemia.errors import DatasetError
from leukemia.markdown import plain
from pages.components import entry, first_set, heading, section_picker
from pages.sections.dataset import (
    cell_detail,
    checks,
    gallery,
    importing,
    label_log,
    map,
    overview,
    unlabelled,
)

# A section's word in the address, and what lays it out, given the prepared folder.
SECTIONS = {
    "overview": overview.show,
    "gallery": gallery.show,
    "checks": checks.show,
    "map": map.show,
    "unlabelled": unlabelled.show,
    "corrections": label_log.show,
    "import": importing.show,
}
PURPOSE = (
    "The cells that models learn from: ALL (acute lymphoblastic leukemia) and Normal. Start with the "
    "overview, then read the checks."
)


def main() -> None:
    """Lay out the section that the address names."""
    # First, whichever section is asked for: cells were sent from one that may not be laid out again.
    cell_detail.follow_to_classify()
    heading.show("Dataset", PURPOSE)
    show = SECTIONS[section_picker.pick("dataset", SECTIONS)]
    data = settings.load().data
    try:
        show(data)
    except DatasetError as error:
        if first_set.exists(data):
            st.error(plain(str(error)), icon=":material/error:")
        else:
            first_set.show(data)


entry.enter()
main()
