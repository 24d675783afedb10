"""Whose cells a training would learn from, and who is kept apart to judge it, in sentences."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import training_set
from leukemia.dataset.catalog import catalog
from leukemia.dataset.training_set import ClassCounts, Subset
from leukemia.errors import DatasetError
from leukemia.markdown import plain


def tell(data: Path, kind: str, options: dict[str, str | int | float]) -> bool:
    """Say it; return whether such a training is possible."""
    seed = int(options["seed"])
    try:
        stamp, found = catalog.stamp(data), held(data)
        st.markdown(about(found))
        for line in reviewed(found):
            st.caption(line)
        if kind == "crossvalidate":
            st.caption(folded(_folds(data, stamp, int(options["folds"]), seed)))
        else:
            st.caption(dealt(_parts(data, stamp, str(options["split"]), seed), str(options["split"])))
    except DatasetError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    return True


def held(data: Path) -> ClassCounts:
    """Sum up the labelled cells of a prepared folder."""
    return _held(data, catalog.stamp(data))


def most_folds(data: Path) -> int:
    """The most folds that can be dealt; none where the cells cannot be read, which :func:`tell` says."""
    try:
        return _most_folds(data, catalog.stamp(data))
    except DatasetError:
        return 0


def about(found: ClassCounts) -> str:
    """Who there is to learn from."""
    drawn = {0: "real", found.total: "drawn"}.get(found.synthetic, "")
    mixed = "" if drawn else f" ({found.synthetic:,} of them drawn)"
    each = " and ".join(
        f"{count:,} {label} cells of {found.groups[label]:,} patient groups"
        for label, count in found.cells.items()
    )
    what = f"**{found.total:,} {drawn or 'labelled'} cells**{mixed}"
    text = f":material/group: There are {what} to learn from: {each}."
    if found.synthetic == found.total:
        text += " A program drew them: what is learned from them says nothing of patients."
    return text


def reviewed(found: ClassCounts) -> list[str]:
    """What reviewers changed."""
    lines = []
    if found.corrected:
        one = found.corrected == 1
        lines.append(
            f"{found.corrected:,} label{' that was' if one else 's that were'} corrected "
            f"{'counts' if one else 'count'} as corrected."
        )
    if found.doubted:
        one = found.doubted == 1
        lines.append(
            f"{found.doubted:,} cell{'' if one else 's'} whose label is doubted "
            f"{'is' if one else 'are'} left out."
        )
    return lines


def dealt(parts: list[Subset], split: str) -> str:
    """How a single run deals them."""
    training, validation, test = parts
    if split == "image":
        return (
            f"It learns from {training.cells:,} cells, chooses epoch and threshold on "
            f"{validation.cells:,}, and is judged on {test.cells:,}; patients stand in more than one part."
        )
    return (
        f"It learns from {_those(training)}, chooses epoch and threshold on {_those(validation)}, and is "
        f"judged on {_those(test)}: no patient stands in two parts."
    )


def folded(parts: list[Subset]) -> str:
    """How a cross-validation deals them."""
    cells, groups = [part.cells for part in parts], [part.groups for part in parts]
    return (
        f"Each of {len(parts)} folds holds out {min(groups):,} to {max(groups):,} patient groups "
        f"({min(cells):,} to {max(cells):,} cells) and learns from all others."
    )


def _those(part: Subset) -> str:
    return f"{part.cells:,} cells of {part.groups:,} patient groups"


# Counts alone; rows of the manifest, no image.
@st.cache_data(max_entries=8, show_spinner=False)
def _held(data: Path, stamp: tuple[object, ...]) -> ClassCounts:
    return training_set.count_classes(_read(data, stamp))


@st.cache_data(max_entries=32, show_spinner=False)
def _parts(data: Path, stamp: tuple[object, ...], split: str, seed: int) -> list[Subset]:
    return training_set.assign_subsets(_read(data, stamp), split, seed)


@st.cache_data(max_entries=32, show_spinner=False)
def _folds(data: Path, stamp: tuple[object, ...], count: int, seed: int) -> list[Subset]:
    return training_set.folds(_read(data, stamp), count, seed)


@st.cache_data(max_entries=8, show_spinner=False)
def _most_folds(data: Path, stamp: tuple[object, ...]) -> int:
    return training_set.most_folds(_read(data, stamp))


@st.cache_resource(max_entries=1, show_spinner="Reading the manifest …")
def _read(data: Path, stamp: tuple[object, ...]) -> pd.DataFrame:
    return training_set.read(data)
