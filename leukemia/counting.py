"""Numbers with their nouns, as sentences have them."""


def counted(count: int, one: str, several: str = "") -> str:
    """A number and what is counted.

    Parameters
    ----------
    count : int
    one : str
        The noun for one, with what may follow it.
    several : str, optional
        The same for any other number; ``one`` with an s where it is not given.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
