"""What can be wrong with a prepared set: each check with what it means and what was done about it.

A check is a finding to look at, not a verdict. None changes the set.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from leukemia.dataset import splits
from leukemia.dataset.importing import import_report
from leukemia.dataset.quality import near_duplicates
from leukemia.errors import DatasetError

OK, NOTE, PROBLEM, UNKNOWN = "ok", "note", "problem", "unknown"
TWICE = " and "  # between the names of parts of which a cell should stand in one
PAIR = ("first", "second", "patients", "labels", "alike")


@dataclass(frozen=True)
class Check:
    """One check of a set.

    Attributes
    ----------
    name, title : str
        For the program, and for a reader.
    level : str
        ``ok`` (nothing found), ``note``, ``problem``, or ``unknown``: not looked for yet.
    said : str
        What was found, with its number.
    meaning : str
        What that means for whoever trains or reads figures.
    done : str
        What was done about it.
    rows : pandas.DataFrame
        The finds, a row each. A column ``path`` (or ``first`` and ``second``) names images in the
        data folder.
    """

    name: str
    title: str
    level: str
    said: str
    meaning: str
    done: str
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)


def split(cells: pd.DataFrame, assignment: pd.Series, whose: str) -> Check:
    """Prove that no patient stands on two sides of a split.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows with a label.
    assignment : pandas.Series
        Part or fold of each, on the index of ``cells``; missing where the split does not know it.
    whose : str
        Whose split it is, for a reader.
    """
    title = "No patient stands on two sides of the split"
    meaning = (
        "A network can learn to know a patient's slide instead of the disease. Figures on patients that it "
        "learned from would be too good."
    )
    done = "Whole patient groups are dealt to one side, and the split is checked again here, cell by cell."
    twice = sorted(set(cells.loc[assignment.str.contains(TWICE, na=False), "patient_group"]))
    if twice:
        said = f"{whose}: {some(len(twice), 'patient group')} in more than one part: {', '.join(twice[:5])}."
        return Check("split", title, PROBLEM, said, meaning, "Nothing: look at the split.")
    known = assignment.notna()
    checked, counts = cells[known], assignment.value_counts()
    parts = [part for part in splits.PARTS if part in counts] or sorted(counts.index)
    try:
        groups = splits.check_disjoint(checked, assignment[known], parts)
    except DatasetError as error:
        return Check("split", title, PROBLEM, str(error), meaning, "Nothing: look at the split.")
    if not groups:
        said = f"No patient of this set is in {whose}: there is nothing to prove."
        return Check("split", title, UNKNOWN, said, meaning, done)
    sides = ", ".join(f"{counts[part]:,} in {part}" for part in parts)
    said = (
        f"Proved for {whose}: all {groups:,} patient groups ({checked['patient'].nunique():,} patients, "
        f"{len(checked):,} cells: {sides}) were checked; 0 stand in more than one part, and no identical "
        "image does."
    )
    return Check("split", title, OK, said, meaning, done)


def identical(cells: pd.DataFrame) -> Check:
    """Images that agree in every pixel, in pairs with their patients."""
    pairs = import_report.pairs_of(cells)
    rows = _pair_rows(cells, [(a, b, "every pixel") for a, b in pairs])
    files = cells["file_sha256"]
    bytewise = sum(files[a] == files[b] for a, b in pairs)
    across = int((rows["patients"].str.contains(" = ")).sum()) if len(rows) else 0
    return Check(
        "identical",
        "Identical images",
        NOTE if pairs else OK,
        f"{some(len(pairs), 'pair')} of images agree in every pixel, {bytewise:,} of them in every byte of "
        f"their files; {across:,} pairs stand under two patients' names.",
        "One picture twice counts twice. Under two patients' names, it ties the two together: they must not "
        "stand on two sides of a split.",
        "Both files are kept, and patients that share an image are one group in every split and interval.",
        rows,
    )


def near_identical(
    cells: pd.DataFrame, found: near_duplicates.Findings | None, assignment: pd.Series
) -> Check:
    """Images that show one cell though not one picture, in pairs with their patients.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows.
    found : similar.Findings or None
        None where no look through the images was made yet.
    assignment : pandas.Series
        Part or fold, by index labels of ``cells``; missing where the split does not know the cell.
    """
    title = "Near-identical images"
    meaning = (
        "One cell cut out or stain-normalised twice. Where the two stand under different patients' names, "
        "the patients are likely one person or one slide; on two sides of a split such a pair is a leak."
    )
    if found is None:
        return Check("near", title, UNKNOWN, "Not looked for yet.", meaning, "")
    index = dict(zip(cells["path"], cells.index, strict=True))
    pairs = [(index[a], index[b], f"{likeness:.4f}") for a, b, _, likeness in found.pairs]
    rows = _pair_rows(cells, pairs)
    group = cells["patient_group"]
    untied = [group[a] != group[b] and bool(group[a]) and bool(group[b]) for a, b, _ in pairs]
    leaks = [_parted(assignment, a, b) for a, b, _ in pairs]
    rows = rows.assign(two_groups=np.array(untied, bool), two_sides=np.array(leaks, bool))
    rows = rows.sort_values(["two_sides", "two_groups"], ascending=False, kind="stable")
    ties = rows[rows["two_groups"]]["patients"].value_counts()
    named = ", ".join(f"{names} ({count})" for names, count in ties.head(8).items())
    said = (
        f"{some(len(rows), 'pair')} of {found.images:,} images show one cell (perceptual hashes within "
        f"{near_duplicates.MOST_BITS} of {near_duplicates.HASH_SIDE**2} bits, correlation from "
        f"{near_duplicates.LEAST_LIKENESS} on)."
    )
    if len(ties):
        said += (
            f" {ties.sum():,} pairs join patients of different groups: {named}; {sum(leaks):,} pairs stand "
            "on two sides of the split."
        )
    done = (
        "All images are kept. Patients that share a near-identical image are one group in every split and "
        "interval: the import ties them."
    )
    level = PROBLEM if sum(leaks) else NOTE if len(rows) else OK
    return Check("near", title, level, said, meaning, done, rows.reset_index(drop=True))


def tied(cells: pd.DataFrame) -> Check:
    """Patients that identical or near-identical images tie into one group."""
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
        "Patients tied into groups",
        NOTE if len(rows) else OK,
        f"{patients:,} patients are tied into {some(len(rows), 'group')}, since they share identical or "
        "near-identical images.",
        "Behind two names there may be one person or one slide.",
        "A group stands on one side of every split and is drawn as one in every interval.",
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
        f"{some(len(rows), 'image')} whose twin bears the other label.",
        "One of the two labels is wrong.",
        "Nothing: mark the doubt or correct the label in the cell's pane." if len(rows) else "Nothing to do.",
        rows.reset_index(drop=True),
    )


def assigned(cells: pd.DataFrame, parts: dict[str, Iterable[str]]) -> pd.Series:
    """Part of each cell by a record of patient groups; missing where the record does not know them.

    A group that the record names in two parts is marked with both, which is none.
    """
    sides: dict[str, str] = {}
    for part, groups in parts.items():
        for group in groups:
            sides[group] = f"{sides[group]}{TWICE}{part}" if group in sides else part
    return cells["patient_group"].map(sides).astype(object)


def dealt(cells: pd.DataFrame) -> pd.Series:
    """Part of each labelled cell in the split of seed 0; missing where the set is too small for one."""
    try:
        return splits.by_patient(cells)
    except DatasetError:
        return pd.Series(None, index=cells.index, dtype=object)


def in_folds(cells: pd.DataFrame, predictions: pd.DataFrame) -> pd.Series:
    """Fold of each cell, as a cross-validation's predictions tell it; missing where they do not.

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


def _parted(assignment: pd.Series, a: int, b: int) -> bool:
    one, other = assignment.get(a), assignment.get(b)
    return isinstance(one, str) and isinstance(other, str) and one != other


def _pair_rows(cells: pd.DataFrame, pairs: list[tuple[int, int, str]]) -> pd.DataFrame:
    path, patient, label = cells["path"], cells["patient"], cells["label"]
    rows = []
    for a, b, alike in pairs:
        people = " = ".join(
            sorted({patient[a] or "unknown", patient[b] or "unknown"}, key=import_report.natural)
        )
        words = " = ".join(sorted({label[a] or "unlabelled", label[b] or "unlabelled"}))
        rows.append((path[a], path[b], people, words, alike))
    return pd.DataFrame(rows, columns=list(PAIR))


def some(count: int, what: str) -> str:
    """A number and a noun, one or many."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
