"""A page's sections: one is shown, and its word in the address says which."""

from collections.abc import Callable, Collection

import streamlit as st

from pages.components import address_field

WORD = "section"


def pick(
    page: str,
    sections: Collection[str],
    title: Callable[[str], str] = str.capitalize,
    keep: Collection[str] = (),
) -> str:
    """Lay out the choice and return the section chosen, the first one where the address names none.

    Parameters
    ----------
    page : str
        The page's name, which keeps its choice apart from other pages'.
    sections : collection of str
        Their words in the address.
    title : callable, optional
        A section's title, given its word.
    keep : collection of str, optional
        What else stays in the address when another section is chosen.
    """
    asked = st.query_params.get(WORD, "").lower()
    shown = asked if asked in sections else next(iter(sections))

    def write(section: str) -> None:
        kept = {word: st.query_params.get_all(word) for word in keep if word in st.query_params}
        st.query_params.from_dict({WORD: section, **kept})

    return st.segmented_control(
        "Section",
        list(sections),
        format_func=title,
        required=True,
        label_visibility="collapsed",
        **address_field.follow(f"{page}-{WORD}", shown, write),
    )
