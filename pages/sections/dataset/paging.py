"""Pages of cells, the number in the address."""

import streamlit as st

from pages.sections.dataset import address

SIZE = 48


def place(count: int) -> tuple[int, int]:
    """The page that the address asks for, at most the last one; and how many there are."""
    pages = max(1, -(-count // SIZE))
    return min(address.page(), pages), pages


def turn(number: int, pages: int, *, key: str, of: object = "") -> None:
    """Lay out the page numbers, where there is more than one; ``of`` says what is paged."""
    if pages == 1:
        return
    key = f"{key}-{pages}-{hash(of)}"
    if st.session_state.get(key, number) != number:
        st.session_state[key] = number

    def turned() -> None:
        address.put(address.PAGE, str(st.session_state[key]) if st.session_state[key] > 1 else "")

    st.pagination(pages, default=number, key=key, on_change=turned)
