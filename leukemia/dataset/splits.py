"""Patients to training, validation and test.

A network can learn to know a patient's slide instead of the disease, so whole patient groups
(patients that share a cell count as one) stand on one side of a split. The
image-level split of the reference notebook is kept to show what its leak does to the figures.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from leukemia.errors import DatasetError

PARTS = ("training", "validation", "test")
# Of every five groups of a class, neighbours in size: three to train, one to validate, one to test.
# The order says who comes first where fewer than five are left.
DEAL = ("training", "validation", "test", "training", "training")
NEEDED = len(PARTS)
# Deals among which the folds of a cross-validation are chosen.
DEALS = 200
LEAKY = "image-level split: leaky, patients stand on both sides"


def by_patient(cells: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Deal whole patient groups, stratified by class and by how many cells they have.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows; columns label and patient_group.
    seed : int, optional
        The same seed deals the same rows in the same way, whatever their order.

    Returns
    -------
    pandas.Series
        One of :data:`PARTS` a row, on the index of ``cells``.

    Raises
    ------
    DatasetError
        Where a class has no cell, or fewer patient groups than parts.
    """
    require_classes(cells)
    rng = np.random.default_rng(seed)
    part: dict[str, str] = {}
    # Both classes at once: a group that holds both (which C-NMC never has) must not be dealt twice.
    groups = cells.groupby("patient_group").agg(label=("label", "min"), cells=("label", "size"))
    for label, members in groups.groupby("label", sort=True):
        if len(members) < NEEDED:
            raise DatasetError(
                f"Only {len(members)} patient group(s) with {label} cells: a split by patient needs {NEEDED}."
            )
        names = members.sort_index().sort_values("cells", ascending=False, kind="stable").index
        for start in range(0, len(names), len(DEAL)):
            chunk = names[start : start + len(DEAL)]
            part.update(zip(rng.permutation(chunk), DEAL, strict=False))
    assignment = cells["patient_group"].map(part)
    check_disjoint(cells, assignment)
    return assignment


def by_image(cells: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Deal single images, stratified by class: :data:`LEAKY`. Same result as :func:`by_patient`."""
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
    for name, index in zip(PARTS, (training, validation, test), strict=True):
        assignment[index] = name
    return assignment


def folds(cells: pd.DataFrame, count: int = 5, seed: int = 0) -> pd.Series:
    """Deal whole patient groups to folds, stratified by class and by the size of their cells.

    Of each ``count`` groups of a class that are neighbours in mean cell area, one goes to each fold.
    Of :data:`DEALS` such deals the one is kept whose folds are most alike in cells of each class and
    in groups of each source.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows; columns label, patient_group, cell_area and source.
    count : int, optional
        How many folds.
    seed : int, optional
        The same seed deals the same rows in the same way, whatever their order.

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
                f"Only {len(members)} patient group(s) with {label} cells: {count} folds need as many."
            )
        by_class.append(members.sort_index().sort_values("area", kind="stable"))
    deals = [_deal(by_class, count, np.random.default_rng([seed, number])) for number in range(DEALS)]
    _, best = min(deals, key=lambda deal: deal[0])
    return cells["patient_group"].map(best)


def _deal(by_class: list[pd.DataFrame], count: int, rng: np.random.Generator) -> tuple[float, dict[str, int]]:
    """Deal once: how unlike the folds are (spreads, as shares of the mean), and each group's fold."""
    fold: dict[str, int] = {}
    unlike = 0.0
    for members in by_class:
        dealt = np.concatenate([rng.permutation(count) for _ in range(-(-len(members) // count))])
        numbers = dealt[: len(members)]
        fold.update(zip(members.index, numbers.tolist(), strict=True))
        held = [np.bincount(numbers, members["cells"], minlength=count)]
        for source in members["source"].unique():
            held.append(np.bincount(numbers, members["source"] == source, minlength=count))
        unlike += sum(float(one.std() / one.mean()) for one in held)
    return unlike, fold


def hold_out(fold: pd.Series, number: int) -> pd.Series:
    """One of :data:`PARTS` a row: fold ``number`` to test, the others to train; -1 holds out none."""
    return pd.Series(np.where(fold == number, "test", "training"), index=fold.index)


SPLITS = {"patient": by_patient, "image": by_image}


def check_disjoint(cells: pd.DataFrame, assignment: pd.Series, parts: Collection[str] = PARTS) -> int:
    """Prove that no patient group and no identical image stands in two parts.

    Parameters
    ----------
    cells : pandas.DataFrame
        Labelled manifest rows.
    assignment : pandas.Series
        A part for each row, on the index of ``cells``.
    parts : collection of str, optional
        What parts there are.

    Returns
    -------
    int
        How many patient groups were checked.

    Raises
    ------
    DatasetError
        Naming the groups (or counting the images) that stand in two parts, or rows in none.
    """
    if assignment.isna().any() or not assignment.isin(parts).all():
        raise DatasetError("The split leaves images without a part.")
    sides = assignment.groupby(cells["patient_group"]).nunique()
    if (sides > 1).any():
        names = ", ".join(sides.index[sides > 1][:5])
        raise DatasetError(f"The split is not by patient: {names} stand in more than one part.")
    twice = int((assignment.groupby(cells["image_id"]).nunique() > 1).sum())
    if twice:
        raise DatasetError(f"The split leaks: {twice} identical images stand in more than one part.")
    return len(sides)


def require_classes(cells: pd.DataFrame) -> None:
    """Raise a DatasetError where a class has no labelled image."""
    for label in ("Normal", "ALL"):
        if not (cells["label"] == label).any():
            raise DatasetError(f"The data set has no image labelled {label}.")


def describe(cells: pd.DataFrame, assignment: pd.Series) -> dict[str, dict[str, object]]:
    """What stands in each part: cells and patient groups by class, and the groups' names."""
    out = {}
    for name in PARTS:
        rows = cells[assignment == name]
        groups = rows.drop_duplicates("patient_group")
        out[name] = {
            "cells": rows["label"].value_counts().to_dict(),
            "patient_groups": groups["label"].value_counts().to_dict(),
            "groups": sorted(groups["patient_group"]),
        }
    return out
