"""What can be wrong with a prepared set: each check with its meaning and what was done about it.

A check is a finding to review, not a verdict. None changes the set.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leukemia.counting import counted
from leukemia.dataset import patient_groups, splits
from leukemia.dataset.quality import near_duplicates
from leukemia.errors import DatasetError

OK, NOTE, PROBLEM, UNKNOWN = "ok", "note", "problem", "unknown"
TWICE = " and "  # between the names of two subsets that a patient group is in, though it should be in one
PAIR = ("first", "second", "patients", "labels", "alike")


@dataclass(frozen=True)
class Check:
    """One check of a set.

    Attributes
    ----------
    name, title : str
        For the program, and for a reader.
    level : str
        ``ok`` (nothing wrong), ``note``, ``problem``, or ``unknown``: not checked yet.
    finding : str
        What the check came to, with its number.
    meaning : str
        What that means for training and for estimates.
    action : str
        What was done about it.
    rows : pandas.DataFrame
        What was found, a row each. A column ``path`` (or ``first`` and ``second``) names images in the
        data folder.
    """

    name: str
    title: str
    level: str
    finding: str
    meaning: str
    action: str
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)


def split(cells: pd.DataFrame, assignment: pd.Series, whose: str) -> Check:
    """Check that no patient is in two subsets of a split.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows with a label.
    assignment : pandas.Series
        Subset or fold of each, on the index of ``cells``; missing where the split does not know it.
    whose : str
        Whose split it is, for a reader.
    """
    title = "No patient is in more than one subset"
    meaning = (
        "A network can learn to recognise a patient's slide instead of the disease. Results on patients "
        "it was trained on would be too optimistic."
    )
    action = "Each patient group goes into one subset as a whole. The split is checked again here."
    twice = sorted(set(cells.loc[assignment.str.contains(TWICE, na=False), "patient_group"]))
    if twice:
        finding = (
            f"In {whose}, {counted(len(twice), 'patient group')} appear in more than one subset: "
            f"{', '.join(twice[:5])}."
        )
        return Check("split", title, PROBLEM, finding, meaning, "Nothing yet: please review the split.")
    known = assignment.notna()
    checked, counts = cells[known], assignment.value_counts()
    subsets = [name for name in splits.SUBSETS if name in counts] or sorted(counts.index)
    try:
        groups = splits.check_disjoint(checked, assignment[known], subsets)
    except DatasetError as error:
        return Check("split", title, PROBLEM, str(error), meaning, "Nothing yet: please review the split.")
    if not groups:
        finding = f"No patient in this set is in {whose}: there is nothing to check."
        return Check("split", title, UNKNOWN, finding, meaning, action)
    sizes = ", ".join(f"{counts[name]:,} in {name}" for name in subsets)
    finding = (
        f"Checked for {whose}: all {groups:,} patient groups ({checked['patient'].nunique():,} patients, "
        f"{len(checked):,} cells: {sizes}). 0 appear in more than one subset, and no identical image does."
    )
    return Check("split", title, OK, finding, meaning, action)


def identical(cells: pd.DataFrame) -> Check:
    """Images that agree in every pixel, in pairs with their patients."""
    pairs = patient_groups.identical_pairs(cells)
    rows = _pair_rows(cells, [(a, b, "every pixel") for a, b in pairs])
    files = cells["file_sha256"]
    bytewise = sum(files[a] == files[b] for a, b in pairs)
    across = int((rows["patients"].str.contains(" = ")).sum()) if len(rows) else 0
    return Check(
        "identical",
        "Identical images",
        NOTE if pairs else OK,
        f"{counted(len(pairs), 'pair')} of images agree in every pixel, {bytewise:,} of them in every byte "
        f"of the file; {across:,} pairs are filed under two patients' names.",
        "The same image twice counts twice. Filed under two patients' names, it links the two: they must "
        "not be in different subsets.",
        "Both files are kept. Patients who share an image count as one group in every split and interval.",
        rows,
    )


def near_identical(cells: pd.DataFrame, scan: near_duplicates.Scan | None, assignment: pd.Series) -> Check:
    """Images that show one cell though not one picture, in pairs with their patients.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows.
    scan : near_duplicates.Scan or None
        None where the images were not scanned yet.
    assignment : pandas.Series
        Subset or fold, by index labels of ``cells``; missing where the split does not know the cell.
    """
    title = "Near-identical images"
    meaning = (
        "The same cell, cut out or stain-normalised twice. If the two are filed under different patients, "
        "these are likely one person or one slide. A pair in two subsets is a leak."
    )
    if scan is None:
        return Check("near", title, UNKNOWN, "Not checked yet.", meaning, "")
    index = dict(zip(cells["path"], cells.index, strict=True))
    pairs = [(index[a], index[b], f"{likeness:.4f}") for a, b, _, likeness in scan.pairs]
    rows = _pair_rows(cells, pairs)
    group = cells["patient_group"]
    untied = [group[a] != group[b] and bool(group[a]) and bool(group[b]) for a, b, _ in pairs]
    leaks = [_apart(assignment, a, b) for a, b, _ in pairs]
    rows = rows.assign(two_groups=np.array(untied, bool), two_subsets=np.array(leaks, bool))
    rows = rows.sort_values(["two_subsets", "two_groups"], ascending=False, kind="stable")
    linking = rows[rows["two_groups"]]["patients"].value_counts()
    named = ", ".join(f"{names} ({count})" for names, count in linking.head(8).items())
    finding = (
        f"{counted(len(rows), 'pair')} among {scan.images:,} images show the same cell (perceptual hashes "
        f"differ in at most {near_duplicates.MOST_BITS} of {near_duplicates.HASH_SIDE**2} bits, correlation "
        f"at least {near_duplicates.LEAST_LIKENESS})."
    )
    if len(linking):
        finding += (
            f" Pairs that link patients of different groups: {linking.sum():,} ({named}); pairs in two "
            f"subsets of the split: {sum(leaks):,}."
        )
    action = (
        "All images are kept. At import, patients who share a near-identical image become one group in "
        "every split and interval."
    )
    level = PROBLEM if sum(leaks) else NOTE if len(rows) else OK
    return Check("near", title, level, finding, meaning, action, rows.reset_index(drop=True))


def tied(cells: pd.DataFrame) -> Check:
    """Patients that identical or near-identical images link into one group."""
    known = cells[cells["patient_group"].str.contains("+", regex=False)]
    rows = (
        known.groupby("patient_group", sort=False)
        .agg(labels=("label", lambda own: ", ".join(sorted(set(own)))), images=("path", "size"))
        .reset_index()
        .rename(columns={"patient_group": "patients"})
    )
    patients = known["patient"].nunique()
    return Check(
        "tied",
        "Patients linked into groups",
        NOTE if len(rows) else OK,
        f"{patients:,} patients are linked into {counted(len(rows), 'group')} because they share identical "
        "or near-identical images.",
        "Two names may belong to one person or one slide.",
        "A group is in one subset of every split, and counts as one patient in every interval.",
        rows,
    )


def two_labels(cells: pd.DataFrame) -> Check:
    """Identical images with different labels."""
    own = cells[cells["label"] != ""]
    both = own.groupby("image_id")["label"].transform("nunique") > 1
    rows = own.loc[both, ["path", "label", "patient"]]
    return Check(
        "labels",
        "One image, two labels",
        PROBLEM if len(rows) else OK,
        f"{counted(len(rows), 'image')} with an identical copy that has the other label.",
        "One of the two labels is wrong.",
        "Nothing yet: open the cell to correct its label or mark it as doubted."
        if len(rows)
        else "Nothing to do.",
        rows.reset_index(drop=True),
    )


def subset_by_group(cells: pd.DataFrame, groups_of: dict[str, Iterable[str]]) -> pd.Series:
    """Subset of each cell by a record of patient groups; missing where the record does not know them.

    A group that the record names in two subsets is marked with both, which is none.
    """
    subset: dict[str, str] = {}
    for name, groups in groups_of.items():
        for group in groups:
            subset[group] = f"{subset[group]}{TWICE}{name}" if group in subset else name
    return cells["patient_group"].map(subset).astype(object)


def default_split(cells: pd.DataFrame) -> pd.Series:
    """Subset of each labelled cell in the split of seed 0; missing where the set is too small for one."""
    try:
        return splits.by_patient(cells)
    except DatasetError:
        return pd.Series(None, index=cells.index, dtype=object)


def fold_by_image(cells: pd.DataFrame, predictions: pd.DataFrame) -> pd.Series:
    """Fold of each cell, by a cross-validation's predictions; missing where they have none.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows.
    predictions : pandas.DataFrame
        Columns image_id and fold (from 0).
    """
    folds = predictions.drop_duplicates("image_id").set_index("image_id")["fold"]
    named = {image_id: f"fold {int(fold) + 1}" for image_id, fold in folds.items()}
    return cells["image_id"].map(named).astype(object)


def _apart(assignment: pd.Series, a: int, b: int) -> bool:
    one, other = assignment.get(a), assignment.get(b)
    return isinstance(one, str) and isinstance(other, str) and one != other


def _pair_rows(cells: pd.DataFrame, pairs: list[tuple[int, int, str]]) -> pd.DataFrame:
    path, patient, label = cells["path"], cells["patient"], cells["label"]
    rows = []
    for a, b, alike in pairs:
        people = " = ".join(
            sorted({patient[a] or "unknown", patient[b] or "unknown"}, key=patient_groups.natural)
        )
        words = " = ".join(sorted({label[a] or "unlabelled", label[b] or "unlabelled"}))
        rows.append((path[a], path[b], people, words, alike))
    return pd.DataFrame(rows, columns=list(PAIR))
