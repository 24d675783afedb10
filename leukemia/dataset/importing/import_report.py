"""What an import brought in: counts, identical images, patients linked by them, and what is wrong.

The report is for a reader (:meth:`ImportReport.lines`) and for a page (``report.json``).
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.counting import counted
from leukemia.dataset import patient_groups
from leukemia.dataset.importing.layout import Layout
from leukemia.imaging.scale import NATIVE_FRAMES
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

USUAL_FRAMES = tuple(f"{width}x{height}" for height, width in NATIVE_FRAMES)
SHOWN = 10  # names of one kind of finding on the terminal; report.json has them all


@dataclass(frozen=True)
class ImportReport:
    """What an import found.

    Attributes
    ----------
    synthetic : bool
        Whether the cells are drawn.
    found : int
        Image files in the set's folders; each is imported or unreadable.
    imported : dict of str to dict of str to int
        Phase (fold_0, ..., preliminary, final) to class (Normal, ALL, unlabelled) to images.
    patients : dict of str to int
        Patients by class.
    groups : dict of str to int
        Patient groups by class.
    rows, absent_rows : int
        Rows of the preliminary phase's labels CSV, and those whose file is not there.
    identical_pairs : list of list of str
        Origins of pairs that agree in every pixel.
    identical_files : int
        Those of the pairs that agree in every byte of their files.
    pairs_by_patients : dict of str to int
        Patients (joined by =) to pairs.
    tied_groups : list of list of str
        Patients that identical images link.
    near_pairs_by_patients : dict of str to int
        Two patients (joined by =) to pairs of near-identical images that they share.
    patient_groups : list of list of str
        Patients that are one group: linked by identical or near-identical images.
    two_labels : list of list of str
        Identical images of which one is labelled Normal and one ALL.
    unreadable, unlabelled_by_doubt, refused_by_classifier : dict of str to str
        Origin to reason.
    odd_frames : dict of str to int
        Frame sizes other than 450x450 and 600x600, to images.
    left_out : list of str
        Image files that lie not in the set's folders.
    other_files : int
        Files that are no images.
    not_read : dict of str to str
        Links, devices and entries of a .zip that were left out, to the reason.
    assumed : dict of str to str
        Images imported under an assumption about their samples, to what was assumed.
    """

    synthetic: bool
    found: int
    imported: dict[str, dict[str, int]]
    patients: dict[str, int]
    groups: dict[str, int]
    rows: int
    absent_rows: int
    identical_pairs: list[list[str]]
    identical_files: int
    pairs_by_patients: dict[str, int]
    tied_groups: list[list[str]]
    near_pairs_by_patients: dict[str, int]
    patient_groups: list[list[str]]
    two_labels: list[list[str]]
    unreadable: dict[str, str]
    unlabelled_by_doubt: dict[str, str]
    refused_by_classifier: dict[str, str]
    odd_frames: dict[str, int]
    left_out: list[str]
    other_files: int
    not_read: dict[str, str]
    assumed: dict[str, str]

    def write(self, output: Path) -> None:
        """Write ``report.json`` and ``report.txt``."""
        write_text(Workspace(output).import_report, json.dumps(asdict(self), indent=1) + "\n")
        write_text(Workspace(output).import_report_text, "\n".join(self.lines()) + "\n")

    def count(self, label: str, *, folds: bool = False) -> int:
        """Images of a class (Normal, ALL, unlabelled), of the folds alone or of all phases."""
        return sum(
            counts.get(label, 0)
            for phase, counts in self.imported.items()
            if not folds or phase.startswith("fold_")
        )

    def lines(self) -> list[str]:
        """The report as text."""
        training = self.count(ALL, folds=True) + self.count(NORMAL, folds=True)
        preliminary = self.imported.get("preliminary", {})
        present = sum(preliminary.get(label, 0) for label in LABELS)
        imported = sum(self.count(label) for label in (*LABELS, "unlabelled"))
        out = ["SYNTHETIC CELLS, drawn by a program."] if self.synthetic else []
        out += [
            f"{training:,} labelled training images: {self.count(ALL, folds=True):,} ALL, "
            f"{self.count(NORMAL, folds=True):,} Normal",
            f"{present:,} labelled images from the preliminary phase (labels CSV: {self.rows:,} rows, "
            f"{self.absent_rows:,} without a file)",
            f"{self.count('unlabelled'):,} unlabelled images",
            f"{counted(self.patients[ALL], 'patient')} with ALL in {counted(self.groups[ALL], 'group')}, "
            f"{counted(self.patients[NORMAL], 'healthy subject')} in "
            f"{counted(self.groups[NORMAL], 'group')}",
            f"{counted(len(self.identical_pairs), 'pair')} of identical images ({self.identical_files:,} of "
            f"them byte-identical files): {_counts(self.pairs_by_patients) or 'none'}",
            f"Patients linked by identical images: {_joined(self.tied_groups)}",
            "Pairs of near-identical images (the same cell cut out twice) under two patients' names: "
            f"{_counts(self.near_pairs_by_patients) or 'none'}",
            f"Patients counted as one group for either reason: {_joined(self.patient_groups)}",
            f"{counted(self.found, 'image file')} found: {imported:,} imported, "
            f"{len(self.unreadable):,} unreadable, {self.found - imported - len(self.unreadable):,} lost",
        ]
        out += _list("cannot be read", self.unreadable)
        out += _list("imported without a label, because the label is uncertain", self.unlabelled_by_doubt)
        out += _list("imported, but the classifier would reject them", self.refused_by_classifier)
        out += _list("imported with an assumed bit depth", self.assumed)
        out += _list("labelled both Normal and ALL", {" = ".join(p): "" for p in self.two_labels})
        out += _list("skipped, because they are not in the set's folders", dict.fromkeys(self.left_out, ""))
        out += _list("left out", self.not_read, "file")
        if self.odd_frames:
            out.append(
                "At native scale, but with a frame other than "
                f"{' or '.join(USUAL_FRAMES)}: {_counts(self.odd_frames)}"
            )
        for label in LABELS:
            if not self.count(label):
                out.append(f"No image is labelled {label}: this set cannot be used for training.")
        return out


def make_report(
    layout: Layout,
    cells: pd.DataFrame,
    unreadable: dict[str, str],
    near: Iterable[tuple[str, str]] = (),
    *,
    not_read: dict[str, str],
    synthetic: bool,
) -> ImportReport:
    """Make the report of an import.

    Parameters
    ----------
    layout : Layout
        What the names said.
    cells : pandas.DataFrame
        A row an imported image: the manifest's columns, and phase, doubt, refusal, note; their patient
        groups are those of identical and near-identical images.
    unreadable : dict of str to str
        Origin to reason.
    near : iterable of tuple of str, optional
        Paths of near-identical pairs.
    not_read : dict of str to str
        Files that were left out before they were read, to the reason.
    synthetic : bool
        Whether a program drew the cells.
    """
    words = cells["label"].replace("", "unlabelled")
    imported = {
        phase: own.value_counts().sort_index().to_dict() for phase, own in words.groupby(cells["phase"])
    }
    identical = cells.assign(patient_group=patient_groups.join(cells))
    patient = dict(zip(cells["path"], cells["patient"], strict=True))
    joining = [(patient[a], patient[b]) for a, b in near]
    pairs = patient_groups.identical_pairs(cells)
    origin, label = cells["origin"].to_dict(), cells["label"].to_dict()
    people, files = cells["patient"].to_dict(), cells["file_sha256"].to_dict()
    frames = Counter(f"{w}x{h}" for w, h in zip(cells["width"], cells["height"], strict=True))
    return ImportReport(
        synthetic=synthetic,
        found=len(layout.images),
        imported=imported,
        patients=_people(cells, "patient"),
        groups=_people(cells, "patient_group"),
        rows=layout.rows,
        absent_rows=layout.absent,
        identical_pairs=[[origin[a], origin[b]] for a, b in pairs],
        identical_files=sum(files[a] == files[b] for a, b in pairs),
        pairs_by_patients=_pairs_by_patients([(people[a], people[b]) for a, b in pairs]),
        tied_groups=_tied(identical),
        near_pairs_by_patients=_pairs_by_patients([own for own in joining if all(own) and len(set(own)) > 1]),
        patient_groups=_tied(cells),
        two_labels=[[origin[a], origin[b]] for a, b in pairs if {label[a], label[b]} == set(LABELS)],
        unreadable=unreadable,
        unlabelled_by_doubt=_reasons(cells, "doubt"),
        refused_by_classifier=_reasons(cells, "refusal"),
        odd_frames={size: count for size, count in sorted(frames.items()) if size not in USUAL_FRAMES},
        left_out=layout.left_out,
        other_files=layout.other,
        not_read=not_read,
        assumed=_reasons(cells, "note"),
    )


def _people(cells: pd.DataFrame, column: str) -> dict[str, int]:
    return {label: cells.loc[cells["label"] == label, column].nunique() for label in LABELS}


def _pairs_by_patients(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    names = Counter(tuple(sorted({a, b}, key=patient_groups.natural)) for a, b in pairs)
    return {
        " = ".join(own) if len(own) > 1 else f"within {own[0] or 'unlabelled'}": count
        for own, count in names.most_common()
    }


def _tied(cells: pd.DataFrame) -> list[list[str]]:
    groups = {name for name in cells["patient_group"] if "+" in name}
    return sorted((name.split("+") for name in groups), key=lambda own: patient_groups.natural(own[0]))


def _reasons(cells: pd.DataFrame, column: str) -> dict[str, str]:
    named = cells[cells[column] != ""]
    return dict(zip(named["origin"], named[column], strict=True))


def _joined(groups: list[list[str]]) -> str:
    return ", ".join("+".join(group) for group in groups) or "none"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())


def _list(what: str, named: dict[str, str], kind: str = "image") -> list[str]:
    if not named:
        return []
    shown = [f"  {name}{f': {why}' if why else ''}" for name, why in list(named.items())[:SHOWN]]
    more = [f"  and {len(named) - SHOWN:,} more, see report.json"] if len(named) > SHOWN else []
    return [f"{counted(len(named), kind)} {what}:", *shown, *more]
