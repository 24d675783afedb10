"""Cases: made and found. One holds a patient's cells under an identifier of the user's choosing."""

import json
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from leukemia.access import people, permissions
from leukemia.access.permissions import Action
from leukemia.audit import trail
from leukemia.audit.trail import Entry, Recorded
from leukemia.cases.names import clean_identifier, reader_name
from leukemia.cases.tables import CASES, READINGS
from leukemia.errors import RecordsError
from leukemia.operating_point import INDETERMINATE, UNCLASSIFIED
from leukemia.storage import database

# What a cell's verdicts come to.
UNREAD, READ, DISPUTED, SETTLED = "unread", "read", "disputed", "settled"
# Decisions with which a cell needs a verdict before its case can be signed.
UNDECIDED = (INDETERMINATE, UNCLASSIFIED)


@dataclass(frozen=True)
class Case:
    """A case as it is on record.

    Attributes
    ----------
    id : int
        Its number: what its address names.
    identifier : str
        As the user chose it: untrusted text.
    created_at, created_by : str
        ISO 8601, UTC; and who.
    blind : bool
        Whether a reader sees the others' verdicts on a cell only once she has given her own.
    hide_model : bool
        Whether she sees the model's answer only then. Each cell then needs a verdict.
    keep_names : bool
        Whether names of files are recorded.
    changed : int
        Number of the last entry of the trail about it: it grows with each change.
    changed_at : str
    signed_at, signed_by, signed_meaning : str or None
        Of its signature; None where it is open.
    """

    id: int
    identifier: str
    created_at: str
    created_by: str
    blind: bool
    hide_model: bool
    keep_names: bool
    changed: int
    changed_at: str
    signed_at: str | None = None
    signed_by: str | None = None
    signed_meaning: str | None = None

    @property
    def keeps_back(self) -> bool:
        """Whether it keeps answers or verdicts back from readers who have not read a cell."""
        return not self.is_signed and (self.blind or self.hide_model)

    @property
    def is_signed(self) -> bool:
        """Whether it is signed, and so cannot be changed."""
        return self.signed_at is not None


@permissions.requires(Action.MAKE_CASES, signed_by="who")
def create(
    data: Path,
    identifier: str,
    *,
    who: str,
    blind: bool = False,
    hide_model: bool = False,
    keep_names: bool = False,
) -> Case:
    """Begin a case.

    Parameters
    ----------
    data : Path
        The data folder.
    identifier : str
        1 to 200 characters, unlike that of any other case; spaces about it are dropped.
    who : str
    blind, hide_model, keep_names : bool, optional
        See :class:`Case`.

    Raises
    ------
    RecordsError
        Where the identifier cannot be taken, there is one like it, or nothing could be written.
    """
    name, person = clean_identifier(identifier), reader_name(who)
    row = {
        "identifier": name,
        "created_at": trail.now(),
        "created_by": person,
        "blind": blind,
        "hide_model": hide_model,
        "keep_names": keep_names,
        "changed": 0,
        "changed_at": trail.now(),
    }
    with database.writing(data) as connection:
        try:
            case_id = connection.execute(CASES.insert(), row).inserted_primary_key[0]
        except IntegrityError as error:
            raise RecordsError(
                "There is a case with this identifier already. Open it, or choose another."
            ) from error
        asked = json.dumps({key: row[key] for key in ("blind", "hide_model", "keep_names")})
        recorded = trail.append(
            connection,
            [Entry(trail.CASE_CREATED, person, case_id=case_id, new=name, details=asked)],
        )
        touch(connection, case_id, recorded)
        return case_of(connection, case_id)


def find(data: Path, case_id: int) -> Case:
    """The case with a number; raises RecordsError where there is none."""
    if database.is_absent(data):
        raise RecordsError(f"There is no case number {case_id}.")
    with database.reading(data) as connection:
        return case_of(connection, case_id)


def by_identifier(data: Path, identifier: str) -> Case:
    """The case with an identifier; raises RecordsError where there is none."""
    missing = RecordsError("There is no case with this identifier.")
    if database.is_absent(data):
        raise missing
    wanted = sa.select(CASES).where(CASES.c.identifier == clean_identifier(identifier))
    with database.reading(data) as connection:
        row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise missing
    return Case(**row)


def history(data: Path, case_id: int) -> list[Recorded]:
    """Everything that was recorded about a case, the newest first."""
    return trail.entries(data, case_id=case_id)


def read_by(data: Path, case_id: int, reader: str) -> set[int]:
    """Numbers of the cells that a reader has given a verdict on, also of those removed by hand since."""
    in_case = READINGS.c.case_id == case_id
    given = sa.select(READINGS.c.cell, READINGS.c.verdict).where(in_case).order_by(READINGS.c.number)
    with database.reading(data) as connection:
        own = given.where(people.is_called(connection, READINGS.c.reader, reader, in_case))
        last = {row.cell: row.verdict for row in connection.execute(own)}
    # A verdict that was taken back is empty.
    return {number for number, verdict in last.items() if verdict}


def case_of(connection: sa.Connection, case_id: int) -> Case:
    """A case within a transaction; raises RecordsError where there is none."""
    row = connection.execute(sa.select(CASES).where(CASES.c.id == case_id)).mappings().one_or_none()
    if row is None:
        raise RecordsError(f"There is no case number {case_id}.")
    return Case(**row)


def open_case(connection: sa.Connection, case_id: int) -> Case:
    """A case that is to be changed; raises RecordsError where there is none, or it is signed."""
    case = case_of(connection, case_id)
    if case.is_signed:
        raise RecordsError(
            f"{database.NOTHING_SAVED} This case was signed by {case.signed_by}. Reopen it to change it."
        )
    return case


def touch(connection: sa.Connection, case_id: int, recorded: list[Recorded]) -> None:
    """Note the last entry about a case with it."""
    last = recorded[-1]
    connection.execute(
        CASES.update().where(CASES.c.id == case_id), {"changed": last.number, "changed_at": last.at}
    )
