"""The data set, seen: browse it, check it, trust it."""

import streamlit as st

from leukemia import settings
from leukemia.errors import DatasetError
from pages.parts import door
from pages.parts.dataset import gallery, overview, unlabelled
from pages.parts.text import plain

# Title and what lays it out, given the prepared folder. A title is also the section's word in the address.
SECTIONS = (
    ("Overview", overview.show),
    ("Gallery", gallery.show),
    ("Unlabelled", unlabelled.show),
)
WORD = "section"
HOW = """No images yet? Draw a synthetic set to try the page, or download C-NMC 2019; then import it:

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


def _section() -> str:
    titles = [title for title, _ in SECTIONS]
    asked = st.query_params.get(WORD, "").capitalize()
    st.session_state[WORD] = asked if asked in titles else titles[0]

    def name_it() -> None:
        st.query_params.from_dict({WORD: st.session_state[WORD].lower()})

    return st.segmented_control(
        "Section", titles, key=WORD, required=True, on_change=name_it, label_visibility="collapsed"
    )


door.enter()
main()
