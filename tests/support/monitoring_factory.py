"""Records and cases as monitoring needs them: drawn patients, put straight into the tables."""

import hashlib

import numpy as np
import pandas as pd

from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.bundles import bundle as bundles
from leukemia.bundles import predictions as held_out
from leukemia.cases import cells as cells_of_cases
from leukemia.cases import tables, verdicts
from leukemia.inference import decisions
from leukemia.monitoring import colours
from leukemia.operating_point import OperatingPoint
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support import bundle_factory
from tests.support.bundle_factory import edit, write_bundle

POINT = OperatingPoint(0.3, 0.7, 0.5)
SOURCES = ("east", "west")
NOVELTY = {"limit": 2.0, "pass": 0.99, "passed_out_of_fold": 0.99}


def image_id(*words):
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def patient(rng, label, cells=20):
    """Cells of one patient: alike among themselves, patients of a class spread about their class."""
    ill = label == "ALL"
    logit = rng.normal(2.0 if ill else -1.0, 0.8) + rng.normal(0, 0.8, cells)
    return pd.DataFrame(
        {
            "probability": (1 / (1 + np.exp(-logit))).round(6),
            "cell_area": np.round(rng.normal(36_000 if ill else 30_000, 3_000) + rng.normal(0, 4_000, cells)),
            "distance": np.abs(rng.normal(1.05, 0.08) + rng.normal(0, 0.1, cells)).round(4),
            "hue": rng.normal(0.80, 0.008) + rng.normal(0, 0.008, cells),
            "saturation": rng.normal(0.65, 0.03) + rng.normal(0, 0.02, cells),
            "brightness": rng.normal(0.31, 0.025) + rng.normal(0, 0.02, cells),
            "sharpness": rng.normal(2.0, 0.2) + rng.normal(0, 0.15, cells),
        }
    )


def record(folder, data, patients=30, seed=0, **changes):
    """A bundle whose record is of such patients in two sources; their colours are in the data folder."""
    rng, parts = np.random.default_rng(seed), []
    for number in range(patients):
        label = "ALL" if number % 2 else "Normal"
        own = patient(rng, label).assign(
            patient_group=f"P{number}", label=label, source=SOURCES[number // 2 % 2], fold=number % 5
        )
        parts.append(own.assign(image_id=[image_id("record", seed, number, n) for n in range(len(own))]))
    cells = pd.concat(parts, ignore_index=True)
    write_bundle(folder)
    known = [*held_out.COLUMNS, "fold", "cell_area", "source", "distance"]
    cells[known].to_csv(folder / bundles.PREDICTIONS, index=False)
    bundle_factory.sign(folder, bundles.PREDICTIONS)
    limits = {"low": POINT.low, "high": POINT.high, "missed": 0.05, "alarmed": 0.2}
    edit(folder, {"novelty": NOVELTY, "indeterminate": limits, "split.folds": 5} | changes)
    file = Workspace(data).cache / colours.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    cells.assign(image_id=cells["image_id"].str[: colours.ENOUGH]).set_index("image_id")[
        list(colours.COLOURS)
    ].to_csv(file)
    return bundles.read(folder)


def add_cases(
    data,
    bundle,
    count,
    *,
    seed=1,
    cells=20,
    ill=0.5,
    change=None,
    version=3,
    point=POINT,
    coloured=True,
    **case,
):
    """Cases of new patients, as ``cells.add`` leaves them behind; ``change`` alters a case's cells.

    ``ill`` is the share of patients with ALL; ``coloured`` is whether their colours are on record.
    """
    rng = np.random.default_rng(seed)
    record_sha256 = bundles.checksum(bundle.folder / bundles.RECORD)
    limit = bundle.novelty_limit
    ids = []
    with database.writing(data) as connection:
        for number in range(count):
            own = patient(rng, "ALL" if rng.random() < ill else "Normal", cells)
            own = change(own) if change else own
            refused = own["distance"] > (limit or np.inf)
            row = {
                "identifier": f"S{seed}-{number}",
                "created_at": trail.now(),
                "created_by": "Ada",
                **dict.fromkeys(("blind", "hide_model", "keep_names"), False),
                "changed": 0,
                "changed_at": trail.now(),
            } | case
            case_id = connection.execute(tables.CASES.insert(), row).inserted_primary_key[0]
            ids.append(case_id)
            answers = [None if no else p for p, no in zip(own["probability"], refused, strict=True)]
            connection.execute(
                tables.CELLS.insert(),
                [
                    {
                        "case_id": case_id,
                        "number": n + 1,
                        "image_id": image_id("case", seed, number, n),
                        "name": "",
                        "drawn": False,
                        "model": bundle.name,
                        "version": version,
                        "record_sha256": record_sha256,
                        "threshold": point.threshold,
                        "low": point.low,
                        "high": point.high,
                        "probability": answer,
                        "decision": decisions.decision(answer, point),
                        "error": "" if answer is not None else "unlike",
                        "distance": float(own["distance"].iloc[n]),
                        "area": int(own["cell_area"].iloc[n]),
                        "note": "",
                        "input_size": bundle.input_size,
                        "pixel_size": bundle.pixel_size,
                        "answered_at": trail.now(),
                        "status": "unread",
                        "verdict": "",
                    }
                    for n, answer in enumerate(answers)
                ],
            )
            if coloured:
                seen = own[list(colours.COLOURS)].to_dict("records")
                connection.execute(
                    tables.APPEARANCES.insert(),
                    [{"case_id": case_id, "number": n + 1} | one for n, one in enumerate(seen)],
                )
        trail.append(connection, [Entry(trail.ANSWER, "Ada", case_id=number) for number in ids])
    return ids


def darker_and_larger(own):
    """A change of all cells, as of another scanner."""
    return own.assign(brightness=own["brightness"] * 0.75, cell_area=own["cell_area"] * 1.4)


def sign(data, numbers):
    """Sign cases as they are."""
    signed = {"signed_at": trail.now(), "signed_by": "Ada", "signed_meaning": "read"}
    with database.writing(data) as connection:
        connection.execute(tables.CASES.update().where(tables.CASES.c.id.in_(numbers)), signed)
        trail.append(connection, [Entry(trail.SIGNED, "Ada", case_id=number) for number in numbers])


def read(data, number, reader, call):
    """Give a reader's verdict on each cell of a case: ``call`` makes it of the cell, or None for none."""
    by_verdict = {}
    for cell in cells_of_cases.cells(data, number):
        if verdict := call(cell):
            by_verdict.setdefault(verdict, []).append(cell.number)
    for verdict, own in by_verdict.items():
        verdicts.give(data, number, own, verdict, reader=reader)


def as_the_model(cell):
    """The verdict of whoever goes by the model."""
    return cell.decision
