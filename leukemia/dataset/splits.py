"""Patients to training, validation and test.

A network can learn to recognise a patient's slide instead of the disease, so a whole patient group
(patients that share a cell count as one) goes into one subset. The image-level split of the
reference notebook is offered to show what its leak does to the estimates.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from leukemia.classes import LABELS
from leukemia.errors import DatasetError

SUBSETS = ("training", "validation", "test")
# Of every five groups of a class, neighbours in size: three to train, one to validate, one to test.
# The order says which come first where fewer than five are left.
TURNS = ("training", "validation", "test", "training", "training")
# Random assignments among which the folds of a cross-validation are chosen.
CANDIDATES = 200
# A threshold for one source comes from the others, its calibration from all of those but one.
FEWEST_SOURCES = 3
# Of another source than the one held out, but of a patient that has cells there: not learned from.
TIED = "tied"
LEAKY = "image-level split: leaky, the same patients are in training and test"


def by_patient(cells: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Assign whole patient groups, stratified by class and by how many cells they have.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows; columns label and patient_group.
    seed : int, optional
        The same seed assigns the same rows in the same way, whatever their order.

    Returns
    -------
    pandas.Series
        One of :data:`SUBSETS` a row, on the index of ``cells``.

    Raises
    ------
    DatasetError
        Where a class has no cell, or fewer patient groups than subsets.
    """
    require_classes(cells)
    rng = np.random.default_rng(seed)
    subset: dict[str, str] = {}
    # Both classes at once: a group that holds both (which C-NMC never has) must not be assigned twice.
    groups = cells.groupby("patient_group").agg(label=("label", "min"), cells=("label", "size"))
    for label, members in groups.groupby("label", sort=True):
        if len(members) < len(SUBSETS):
            raise DatasetError(
                f"A split by patient needs {len(SUBSETS)} patient groups with {label} cells; here there "
                f"{_are(len(members))}."
            )
        names = members.sort_index().sort_values("cells", ascending=False, kind="stable").index
        for start in range(0, len(names), len(TURNS)):
            chunk = names[start : start + len(TURNS)]
            subset.update(zip(rng.permutation(chunk), TURNS, strict=False))
    assignment = cells["patient_group"].map(subset)
    check_disjoint(cells, assignment)
    return assignment


def by_image(cells: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Assign single images, stratified by class: :data:`LEAKY`. Same result as :func:`by_patient`."""
    require_classes(cells)
    ordered = cells.sort_values(["image_id", "path"])
    try:
        rest, test = train_test_split(
            ordered.index, test_size=0.2, random_state=seed, stratify=ordered["label"]
        )
        training, validation = train_test_split(
            rest, test_size=0.25, random_state=seed, stratify=ordered.loc[rest, "label"]
        )
    except ValueError as error:
        raise DatasetError(f"{len(cells)} labelled images are too few to split.") from error
    assignment = pd.Series("", index=cells.index)
    for name, index in zip(SUBSETS, (training, validation, test), strict=True):
        assignment[index] = name
    return assignment


def folds(cells: pd.DataFrame, count: int = 5, seed: int = 0) -> pd.Series:
    """Assign whole patient groups to folds, stratified by class and by the size of their cells.

    Of each ``count`` groups of a class that are neighbours in mean cell area, one goes to each fold.
    Of :data:`CANDIDATES` such assignments the one is taken whose folds are most alike in cells of
    each class and in groups of each source.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows; columns label, patient_group, cell_area and source.
    count : int, optional
        How many folds.
    seed : int, optional
        The same seed assigns the same rows in the same way, whatever their order.

    Returns
    -------
    pandas.Series
        int, 0 to ``count`` - 1 a row, on the index of ``cells``.

    Raises
    ------
    DatasetError
        Where a class has no cell, or fewer patient groups than folds.
    """
    require_classes(cells)
    groups = cells.groupby("patient_group").agg(
        label=("label", "min"),
        area=("cell_area", "mean"),
        cells=("label", "size"),
        source=("source", lambda own: own.mode()[0]),
    )
    by_class = []
    for label, members in groups.groupby("label", sort=True):
        if len(members) < count:
            raise DatasetError(
                f"{count} folds need as many patient groups with {label} cells; here there "
                f"{_are(len(members))}."
            )
        by_class.append(members.sort_index().sort_values("area", kind="stable"))
    candidates = [
        _assign(by_class, count, np.random.default_rng([seed, number])) for number in range(CANDIDATES)
    ]
    _, best = min(candidates, key=lambda candidate: candidate[0])
    return cells["patient_group"].map(best)


def _assign(
    by_class: list[pd.DataFrame], count: int, rng: np.random.Generator
) -> tuple[float, dict[str, int]]:
    """Assign once: how unlike the folds are (spreads, as shares of the mean), and each group's fold."""
    fold: dict[str, int] = {}
    unlike = 0.0
    for members in by_class:
        order = np.concatenate([rng.permutation(count) for _ in range(-(-len(members) // count))])
        numbers = order[: len(members)]
        fold.update(zip(members.index, numbers.tolist(), strict=True))
        sizes = [np.bincount(numbers, members["cells"], minlength=count)]
        for source in members["source"].unique():
            sizes.append(np.bincount(numbers, members["source"] == source, minlength=count))
        unlike += sum(float(one.std() / one.mean()) for one in sizes)
    return unlike, fold


def hold_out(fold: pd.Series, number: int) -> pd.Series:
    """One of :data:`SUBSETS` a row: fold ``number`` to test, the others to train; -1 holds out none."""
    return pd.Series(np.where(fold == number, "test", "training"), index=fold.index)


def sources(cells: pd.DataFrame) -> list[str]:
    """Names of the sources of labelled cells, to leave each out in turn.

    Raises
    ------
    DatasetError
        Where there are fewer than :data:`FEWEST_SOURCES`.
    """
    names = sorted(cells["source"].unique())
    if len(names) < FEWEST_SOURCES:
        raise DatasetError(
            "Leaving each source out in turn needs labelled cells from at least "
            f"{FEWEST_SOURCES} sources; here there {_are(len(names))}."
        )
    return names


def hold_out_sources(cells: pd.DataFrame, sources: Collection[str]) -> pd.Series:
    """Hold out whole sources, as if their laboratory had never been seen.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows; columns label, patient_group and source.
    sources : collection of str
        Those to test on.

    Returns
    -------
    pandas.Series
        ``"test"``, ``"training"`` or :data:`TIED` a row, on the index of ``cells``.

    Raises
    ------
    DatasetError
        Where the other sources lack a class.
    """
    test = cells["source"].isin(sources)
    tied = ~test & cells["patient_group"].isin(cells.loc[test, "patient_group"])
    part = pd.Series(np.select([test, tied], ["test", TIED], "training"), index=cells.index)
    require_classes(cells[part == "training"])
    return part


SPLITS = {"patient": by_patient, "image": by_image}


def check_disjoint(cells: pd.DataFrame, assignment: pd.Series, subsets: Collection[str] = SUBSETS) -> int:
    """Prove that no patient group and no identical image is in two subsets.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows.
    assignment : pandas.Series
        A subset for each row, on the index of ``cells``.
    subsets : collection of str, optional
        What subsets there are.

    Returns
    -------
    int
        How many patient groups were checked.

    Raises
    ------
    DatasetError
        Naming the groups (or counting the images) that are in two subsets, or rows in none.
    """
    if assignment.isna().any() or not assignment.isin(subsets).all():
        raise DatasetError("The split leaves images out of every subset.")
    counts = assignment.groupby(cells["patient_group"]).nunique()
    if (counts > 1).any():
        names = ", ".join(counts.index[counts > 1][:5])
        raise DatasetError(f"The split is not by patient: {names} appear in more than one subset.")
    twice = int((assignment.groupby(cells["image_id"]).nunique() > 1).sum())
    if twice:
        raise DatasetError(f"The split leaks: {twice} identical images appear in more than one subset.")
    return len(counts)


def require_classes(cells: pd.DataFrame) -> None:
    """Raise a DatasetError where a class has no labelled image."""
    for label in LABELS:
        if not (cells["label"] == label).any():
            raise DatasetError(f"The data set has no image labelled {label}.")


def describe(cells: pd.DataFrame, assignment: pd.Series) -> dict[str, dict[str, object]]:
    """What is in each subset: cells and patient groups by class, and the groups' names.

    A group with cells of both classes, as a signed case may have them, counts in each.
    """
    out = {}
    for name in SUBSETS:
        rows = cells[assignment == name]
        out[name] = {
            "cells": rows["label"].value_counts().to_dict(),
            "patient_groups": rows.groupby("label")["patient_group"].nunique().to_dict(),
            "groups": sorted(rows["patient_group"].unique()),
        }
    return out


def _are(count: int) -> str:
    return "is only 1" if count == 1 else f"are only {count}"
