"""The data set: what it holds, its cells, what is wrong with it, and where it came from."""

import streamlit as st

from leukemia import settings
from leukemia.errors import DatasetError
from leukemia.markdown import plain
from pages.components import entry, section_picker
from pages.sections.dataset import checks, gallery, importing, label_log, map, overview, unlabelled

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
HOW = """Import a download of C-NMC 2019, or try the sample set of synthetic cells: with the button
below, or on the command line:

```
python -m leukemia sample SAMPLE
python -m leukemia prepare SAMPLE
```
"""


def main() -> None:
    """Lay out the section that the address names."""
    st.title("Dataset")
    show = SECTIONS[section_picker.pick("dataset", SECTIONS)]
    try:
        show(settings.load().data)
    except DatasetError as error:
        st.info(plain(str(error)), icon=":material/folder_off:")
        st.markdown(HOW)
        to_import = {section_picker.WORD: "import"}
        st.button(
            "Import images", icon=":material/download:", on_click=st.query_params.from_dict, args=(to_import,)
        )


entry.enter()
main()
