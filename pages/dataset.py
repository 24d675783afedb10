"""The data set, seen: browse it, check it, trust it."""

import streamlit as st

from leukemia import settings
from leukemia.errors import DatasetError
from pages.components import entry
from pages.components.markdown import plain
from pages.sections.dataset import checks, gallery, importing, label_log, map, overview, unlabelled

# Title and what lays it out, given the prepared folder. A title is also the section's word in the address.
SECTIONS = (
    ("Overview", overview.show),
    ("Gallery", gallery.show),
    ("Checks", checks.show),
    ("Map", map.show),
    ("Unlabelled", unlabelled.show),
    ("Corrections", label_log.show),
    ("Import", importing.show),
)
WORD = "section"
HOW = """Import a download of C-NMC 2019, or the sample set, which a program draws: here with the
button, or on the command line:

```
python -m leukemia sample SAMPLE
python -m leukemia prepare SAMPLE
```
"""


def main() -> None:
    """Lay out the section that the address names."""
    st.title("Dataset")
    show = dict(SECTIONS)[_section()]
    try:
        show(settings.load().data)
    except DatasetError as error:
        st.info(plain(str(error)), icon=":material/folder_off:")
        st.markdown(HOW)
        to_import = {WORD: "import"}
        st.button(
            "Import images", icon=":material/download:", on_click=st.query_params.from_dict, args=(to_import,)
        )


def _section() -> str:
    titles = [title for title, _ in SECTIONS]
    asked = st.query_params.get(WORD, "").capitalize()
    st.session_state[WORD] = asked if asked in titles else titles[0]

    def name_it() -> None:
        st.query_params.from_dict({WORD: st.session_state[WORD].lower()})

    return st.segmented_control(
        "Section", titles, key=WORD, required=True, on_change=name_it, label_visibility="collapsed"
    )


entry.enter()
main()
