"""Checks of files and frames: what is missing, what is stray, what cannot be read, what is cut off."""

import json
import os
from pathlib import Path

import pandas as pd

from leukemia.counting import counted
from leukemia.dataset.importing import import_report, importer
from leukemia.dataset.quality import near_duplicates
from leukemia.dataset.quality.checks import NOTE, OK, PROBLEM, UNKNOWN, Check
from leukemia.dataset.quality.damage import Damage
from leukemia.storage.workspace import Workspace

DAMAGED = "damaged"
# What was done, by level, about images that changed.
ACTIONS = {
    PROBLEM: "Nothing yet: import again, from the download.",
    UNKNOWN: "They are not read before somebody asks for it.",
    OK: "Every image is compared with what was imported.",
}


def read_report(data: Path) -> dict[str, object]:
    """The import's report (:class:`import_report.ImportReport`) as written; empty where there is none."""
    try:
        record = json.loads(Workspace(data).import_report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def files(data: Path, cells: pd.DataFrame, report: dict[str, object]) -> list[Check]:
    """Rows without files, files without rows, unreadable files."""
    on_disk = _on_disk(data)
    elsewhere = cells.loc[~cells["path"].isin(on_disk), ["path", "label", "patient"]]
    gone = [not (Path(data) / path).is_file() for path in elsewhere["path"]]
    missing = elsewhere[gone].reset_index(drop=True)
    stray = pd.DataFrame({"file": sorted(on_disk - set(cells["path"]))})
    absent = int(report.get("absent_rows") or 0)
    doubts = _reasons(report, "unlabelled_by_doubt")
    unreadable = _reasons(report, "unreadable")
    return [
        Check(
            "missing",
            "Rows without files",
            PROBLEM if len(missing) else NOTE if absent else OK,
            f"{counted(len(missing), 'row')} of the manifest name a missing file. At import, {absent:,} rows "
            "of the labels CSV named files that were not in the download.",
            "A training that needs a missing image stops.",
            "Rows of the labels CSV without a file were left out. To restore missing images, import again.",
            missing,
        ),
        Check(
            "stray",
            "Files without rows",
            NOTE if len(stray) or len(doubts) else OK,
            f"{counted(len(stray), 'file')} in the image folders without a row in the manifest. At import, "
            f"{counted(len(doubts), 'image')} had no reliable label.",
            "A file without a row is never shown and never used for training.",
            "Files without a row are left alone. Images without a reliable label are imported as unlabelled.",
            pd.concat([stray, doubts], ignore_index=True),
        ),
        Check(
            "unreadable",
            "Unreadable files",
            NOTE if len(unreadable) else OK,
            f"{counted(len(unreadable), 'file')} of the download could not be read.",
            "These files are empty, cut off or damaged.",
            "Left out of the set; each is listed with its reason." if len(unreadable) else "Nothing to do.",
            unreadable,
        ),
    ]


def damaged(found: Damage) -> Check:
    """Images that are damaged or changed since they were imported."""
    rows = pd.DataFrame(list(found.files.items()), columns=["file", "reason"])
    level = PROBLEM if found.files else UNKNOWN if found.unchecked else OK
    finding = (
        f"Files with another size or date than when they were verified: {found.unchecked:,}."
        if found.unchecked
        else f"{counted(len(rows), 'image')} of the prepared set can no longer be read, or changed."
    )
    return Check(
        DAMAGED,
        "Damaged since import",
        level,
        finding,
        "A damaged or exchanged image would teach the model another cell than its label says: a training "
        "that needs it stops.",
        ACTIONS[level],
        rows,
    )


def frames(cells: pd.DataFrame, scan: near_duplicates.Scan | None) -> list[Check]:
    """Cells that touch their frame, frames out of the usual size."""
    size = cells["width"].astype(str) + "x" + cells["height"].astype(str)
    odd = cells.assign(frame=size).loc[
        ~size.isin(import_report.USUAL_FRAMES), ["path", "label", "patient", "frame"]
    ]
    checks = [
        Check(
            "frames",
            "Unusual frame sizes",
            NOTE if len(odd) else OK,
            f"{counted(len(odd), 'image')} with a frame other than "
            f"{' or '.join(import_report.USUAL_FRAMES)} pixels.",
            "Another frame size is not a fault, but a frame that was *resized* changes the cell's size.",
            "Frames are never resized: a square is cut out around the cell at native scale.",
            odd.reset_index(drop=True),
        )
    ]
    title, meaning = (
        "Cells touching the frame",
        "The cell is cut off: its size and outline are not reliable.",
    )
    if scan is None:
        return [*checks, Check("edge", title, UNKNOWN, "Not checked yet.", meaning, "")]
    edge = cells.loc[cells["path"].isin(scan.edges), ["path", "label", "patient"]]
    edge = edge.assign(pixels_on_edge=edge["path"].map(scan.edges)).sort_values(
        "pixels_on_edge", ascending=False
    )
    checks.append(
        Check(
            "edge",
            title,
            NOTE if len(edge) else OK,
            f"{counted(len(edge), 'cell')} with {near_duplicates.LEAST_EDGE} or more pixels "
            "on the frame's edge.",
            meaning,
            "Kept and used for training. To leave one out, mark its label as doubted.",
            edge.reset_index(drop=True),
        )
    )
    return checks


def _on_disk(data: Path) -> set[str]:
    paths = set()
    for folder in importer.FOLDERS.values():
        for where, _, names in os.walk(Path(data) / folder):
            below = Path(where).relative_to(data).as_posix()
            paths.update(f"{below}/{name}" for name in names if not name.startswith("."))
    return paths


def _reasons(report: dict[str, object], name: str) -> pd.DataFrame:
    named = report.get(name)
    named = named if isinstance(named, dict) else {}
    return pd.DataFrame(list(named.items()), columns=["file", "reason"])
