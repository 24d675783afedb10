"""What the page shows, in its address: a link shows the same to whoever opens it."""

import streamlit as st

from leukemia.dataset.catalog.filters import WORDS, Filters
from leukemia.dataset.catalog.sql import SORTS

SECTION, SORT, PAGE, CELL, SELECTION = "section", "sort", "page", "cell", "selection"
MAP = "map"
# Where the map leaves the image_ids that were selected on it; an address cannot hold thousands.
SELECTED_ON_MAP = "map_selection"


def filters() -> Filters:
    """The conditions in the address, without what was selected on the map."""
    return Filters.from_query({word: st.query_params.get_all(word) for word in WORDS.values()})


def put_filters(chosen: Filters) -> None:
    """Write conditions into the address; the first page is shown."""
    for word in (*WORDS.values(), PAGE):
        st.query_params.pop(word, None)
    for word, values in chosen.to_query().items():
        st.query_params[word] = values


def sort() -> str:
    """The sort in the address, one of ``sql.SORTS``."""
    asked = st.query_params.get(SORT, "")
    return asked if asked in SORTS else next(iter(SORTS))


def page() -> int:
    """The page in the address, at least 1."""
    asked = st.query_params.get(PAGE, "")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1


def cell() -> str:
    """The image_id of the opened cell, or empty."""
    return st.query_params.get(CELL, "")


def put(word: str, value: str) -> None:
    """Write a word into the address, or take it out where its value is empty."""
    if value:
        st.query_params[word] = value
    else:
        st.query_params.pop(word, None)
