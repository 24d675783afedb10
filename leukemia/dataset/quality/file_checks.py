"""Checks of files and frames: what is missing, what is stray, what cannot be read, what is cut off."""

import json
import os
from pathlib import Path

import pandas as pd

from leukemia.dataset.importing import import_report, importer
from leukemia.dataset.quality import near_duplicates
from leukemia.dataset.quality.checks import NOTE, OK, PROBLEM, UNKNOWN, Check, some
from leukemia.storage.workspace import Workspace


def read_report(data: Path) -> dict[str, object]:
    """The import's report (:class:`import_report.Report`) as it was written; empty where there is none."""
    try:
        found = json.loads(Workspace(data).import_report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
            f"{some(len(missing), 'row')} of the manifest name a file that is not there. At the import, "
            f"{absent:,} rows of the labels CSV named files that the download did not hold.",
            "A missing image cannot be learned from; a training that needs it stops.",
            "Import again to bring images back. Rows of the labels CSV without a file were left out.",
            missing,
        ),
        Check(
            "stray",
            "Files without rows",
            NOTE if len(stray) or len(doubts) else OK,
            f"{some(len(stray), 'file')} in the image folders that the manifest does not name. At the import "
            f"{some(len(doubts), 'image')} had no label that could be trusted.",
            "What has no row is never shown or learned from.",
            "Files without a row are left alone; images without a trusted label were imported as unlabelled.",
            pd.concat([stray, doubts], ignore_index=True),
        ),
        Check(
            "unreadable",
            "Unreadable files",
            NOTE if len(unreadable) else OK,
            f"{some(len(unreadable), 'file')} of the download could not be read.",
            "Empty, cut off or damaged in the download.",
            "Left out of the set; each is named with the reason." if len(unreadable) else "Nothing to do.",
            unreadable,
        ),
    ]


def frames(cells: pd.DataFrame, found: near_duplicates.Findings | None) -> list[Check]:
    """Cells that touch their frame, frames out of the usual size, images that fail by now."""
    size = cells["width"].astype(str) + "x" + cells["height"].astype(str)
    odd = cells.assign(frame=size).loc[
        ~size.isin(import_report.USUAL_FRAMES), ["path", "label", "patient", "frame"]
    ]
    checks = [
        Check(
            "frames",
            "Frames out of the usual size",
            NOTE if len(odd) else OK,
            f"{some(len(odd), 'image')} with a frame other than "
            f"{' or '.join(import_report.USUAL_FRAMES)} pixels.",
            "A frame of another size is no fault by itself. One that was *resized* changes the cell's size.",
            "Frames are never resized: a square is cut about the cell at native scale.",
            odd.reset_index(drop=True),
        )
    ]
    title, meaning = (
        "Cells touching the frame",
        "The cell is cut off: its size and outline cannot be trusted.",
    )
    if found is None:
        return [*checks, Check("edge", title, UNKNOWN, "Not looked for yet.", meaning, "")]
    edge = cells.loc[cells["path"].isin(found.edges), ["path", "label", "patient"]]
    edge = edge.assign(pixels_on_edge=edge["path"].map(found.edges)).sort_values(
        "pixels_on_edge", ascending=False
    )
    checks.append(
        Check(
            "edge",
            title,
            NOTE if len(edge) else OK,
            f"{some(len(edge), 'cell')} with {near_duplicates.LEAST_EDGE} or more pixels "
            "on the frame's edge.",
            meaning,
            "Kept, and learned from: leave one out by marking its label as doubted.",
            edge.reset_index(drop=True),
        )
    )
    if found.unreadable:
        rows = pd.DataFrame(found.unreadable.items(), columns=["file", "reason"])
        said = f"{some(len(rows), 'image')} of the prepared set cannot be read any more."
        checks.append(Check("lost", "Damaged since the import", PROBLEM, said, "", "Import again.", rows))
    return checks


def _on_disk(data: Path) -> set[str]:
    found = set()
    for folder in importer.FOLDERS.values():
        for where, _, names in os.walk(Path(data) / folder):
            below = Path(where).relative_to(data).as_posix()
            found.update(f"{below}/{name}" for name in names if not name.startswith("."))
    return found


def _reasons(report: dict[str, object], name: str) -> pd.DataFrame:
    named = report.get(name)
    named = named if isinstance(named, dict) else {}
    return pd.DataFrame(list(named.items()), columns=["file", "reason"])
