"""Whose cells a training would use, and which are held out to evaluate it, in sentences."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import training_set
from leukemia.dataset.catalog import catalog
from leukemia.dataset.training_set import ClassCounts, Subset
from leukemia.errors import DatasetError
from leukemia.markdown import plain


def show(data: Path, kind: str, options: dict[str, str | int | float]) -> bool:
    """Say it; return whether such a training is possible.

    Parameters
    ----------
    data : Path
        The data folder.
    kind : str
        ``"train"``, ``"crossvalidate"`` or ``"sweep"``.
    options : dict
        ``seed``, and ``folds`` (without it, sources are held out) or ``split``.
    """
    seed = int(options["seed"])
    try:
        stamp, cells = catalog.stamp(data), labelled(data)
        st.markdown(f":material/group: {_about(cells)}")
        for line in _reviewed(cells):
            st.caption(line)
        if kind == "crossvalidate":
            if folds := int(options.get("folds", 0)):
                st.caption(_about_folds(_folds(data, stamp, folds, seed)))
            if options["leave"] != "patients":
                st.caption(_about_sources(_sources(data, stamp)))
        else:
            split = str(options["split"])
            st.caption(_about_parts(_parts(data, stamp, split, seed), split))
    except DatasetError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    return True


def labelled(data: Path) -> ClassCounts:
    """Sum up the labelled cells of a prepared folder."""
    return _labelled(data, catalog.stamp(data))


def most_folds(data: Path) -> int:
    """Return the most folds that are possible; 0 where the cells cannot be read, which :func:`show` says."""
    try:
        return _most_folds(data, catalog.stamp(data))
    except DatasetError:
        return 0


def trainings_by_source(data: Path) -> int:
    """How many networks are trained where each source is held out; one more may hold out the hard ones."""
    return len(_sources(data, catalog.stamp(data))) + 1


def _about(cells: ClassCounts) -> str:
    kind = {0: "real", cells.total: "synthetic"}.get(cells.synthetic, "labelled")
    mixed = f" ({cells.synthetic:,} of them synthetic)" if kind == "labelled" else ""
    classes = " and ".join(
        f"{count:,} {label} cells of {cells.groups[label]:,} patient groups"
        for label, count in cells.cells.items()
    )
    text = f"**{cells.total:,} {kind} cells**{mixed} to train on: {classes}."
    if cells.synthetic == cells.total:
        text += " Results on synthetic cells say nothing about patients."
    return text


def _reviewed(cells: ClassCounts) -> list[str]:
    lines = []
    if cells.corrected:
        labels = "label is" if cells.corrected == 1 else "labels are"
        lines.append(f"{cells.corrected:,} corrected {labels} used.")
    if cells.reviewed:
        ones = "cell has the label" if cells.reviewed == 1 else "cells have the labels"
        lines.append(f"{cells.reviewed:,} {ones} that readers gave in signed cases (source review).")
    if cells.doubted:
        ones = "cell with a doubted label is" if cells.doubted == 1 else "cells with a doubted label are"
        lines.append(f"{cells.doubted:,} {ones} left out.")
    return lines


def _about_parts(parts: list[Subset], split: str) -> str:
    training, validation, test = parts
    if split == "image":
        return (
            f"It trains on {training.cells:,} cells, chooses epoch and threshold on {validation.cells:,}, "
            f"and is evaluated on {test.cells:,}; the same patients appear in more than one part."
        )
    return (
        f"It trains on {_size(training)}, chooses epoch and threshold on {_size(validation)}, and is "
        f"evaluated on {_size(test)}: no patient appears in two parts."
    )


def _about_folds(folds: list[Subset]) -> str:
    cells, groups = [fold.cells for fold in folds], [fold.groups for fold in folds]
    return (
        f"Each of {len(folds)} folds holds out {min(groups):,} to {max(groups):,} patient groups "
        f"({min(cells):,} to {max(cells):,} cells) and trains on all others."
    )


def _about_sources(sources: list[Subset]) -> str:
    listed = ", ".join(f"{plain(one.name)} ({_size(one)})" for one in sources)
    return f"Each of {len(sources)} sources is held out in turn, with all cells of its patients: {listed}."


def _size(part: Subset) -> str:
    return f"{part.cells:,} cells of {part.groups:,} patient groups"


# Counts alone; rows of the manifest, no image.
@st.cache_data(max_entries=8, show_spinner=False)
def _labelled(data: Path, stamp: tuple[object, ...]) -> ClassCounts:
    return training_set.count_classes(_read(data, stamp))


@st.cache_data(max_entries=32, show_spinner=False)
def _parts(data: Path, stamp: tuple[object, ...], split: str, seed: int) -> list[Subset]:
    return training_set.assign_subsets(_read(data, stamp), split, seed)


@st.cache_data(max_entries=32, show_spinner=False)
def _folds(data: Path, stamp: tuple[object, ...], count: int, seed: int) -> list[Subset]:
    return training_set.folds(_read(data, stamp), count, seed)


@st.cache_data(max_entries=8, show_spinner=False)
def _sources(data: Path, stamp: tuple[object, ...]) -> list[Subset]:
    return training_set.sources(_read(data, stamp))


@st.cache_data(max_entries=8, show_spinner=False)
def _most_folds(data: Path, stamp: tuple[object, ...]) -> int:
    return training_set.most_folds(_read(data, stamp))


@st.cache_resource(max_entries=1, show_spinner="Reading the manifest …")
def _read(data: Path, stamp: tuple[object, ...]) -> pd.DataFrame:
    return training_set.read(data)
