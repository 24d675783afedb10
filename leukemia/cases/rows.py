"""A cell as it is put into a case: its rows in the tables, and its entry in the trail."""

from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases.case import UNREAD, Case
from leukemia.inference import decisions
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from leukemia.storage import files

LONGEST_TEXT, LONGEST_NAME = 1_000, 300


def answer(result: Result, case: Case, point: OperatingPoint) -> dict[str, object]:
    """The answer to a cell that nobody has read yet."""
    given = result.answer
    return {
        "image_id": given.image_id,
        "name": files.shown(given.name)[:LONGEST_NAME] if case.keep_names else "",
        "drawn": result.drawn,
        "probability": given.probability,
        "decision": decisions.decision(given.probability, point),
        "error": files.shown(given.error)[:LONGEST_TEXT],
        "distance": given.distance,
        "area": given.area,
        "note": files.shown(given.note)[:LONGEST_TEXT],
        "answered_at": given.at,
        "status": UNREAD,
        "verdict": "",
    }


def pictures(case_id: int, number: int, result: Result) -> dict[str, object]:
    """The pictures of a cell; raises ValueError where the batch kept none."""
    given = result.answer
    if not (given.picture and given.thumbnail):
        raise ValueError("The images must be classified with picture=PICTURE and a thumbnail.")
    return {"case_id": case_id, "number": number, "picture": given.picture, "thumbnail": given.thumbnail}


def entry(row: dict, who: str) -> Entry:
    """What the trail says of an answer; ``row`` is the cell's, whole."""
    version = f"version {row['version']}" if row["version"] else row["model"]
    return Entry(
        trail.ANSWER,
        who,
        case_id=row["case_id"],
        cell=row["number"],
        image_id=row["image_id"],
        version=version,
        record_sha256=row["record_sha256"],
        threshold=row["threshold"],
        low=row["low"],
        high=row["high"],
        probability=row["probability"],
        new=row["decision"],
        reason=row["error"],
    )
