"""Every field of a record is checked for type, range and finiteness, and with those it belongs to."""

import copy
import json
import re

import pytest

from leukemia.bundles import answering, breakdown, schema
from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError
from leukemia.evaluation import conformal, three_way
from leukemia.evaluation.breakdown import sources
from leukemia.settings import SHIPPED

ESTIMATE = {"value": 0.9, "low": 0.8, "high": 1}
SOURCE = {
    "cells": {"ALL": 20, "Normal": 10},
    "patient_groups": {"ALL": 4, "Normal": 2},
    "figures": dict.fromkeys(sources.NAMES, ESTIMATE),
    "patients_right": 5,
}
TIME = "2026-11-28T07:35:43+00:00"
# What the shipped record has not, so that each field of the schema is there.
FURTHER = {
    "by_source": {"sources": {"fold_0": SOURCE}, "each_patient": SOURCE, "each_cell": SOURCE},
    "unseen_sources": {"sources": {"fold_0": SOURCE}, "each_patient": SOURCE, "each_cell": SOURCE},
    "three_way": {
        "each_cell": dict.fromkeys(three_way.NAMES.values(), ESTIMATE),
        "each_patient": dict.fromkeys(three_way.NAMES.values(), ESTIMATE),
    },
    "stress": {
        "JPEG 90": {
            "figures": {"auroc": ESTIMATE},
            "worst_source": "fold_0",
            "change": 0.1,
            "lost": 1,
            "found": 9,
        }
    },
    "engine": {
        "precision": "int8",
        "reason": "Nothing is lost.",
        "auroc_difference": -0.001,
        "largest_change": 0.01,
        "calibrated_on": 300,
        "judged_on": 500,
    },
    "changes": [
        {
            "at": TIME,
            "who": "Ada",
            "reason": "Fewer misses",
            "chosen": "by hand",
            "from": "version 1",
            "old": 0.5,
            "new": 0.4,
            "limits_old": {"low": 0.3, "high": 0.9},
            "limits_new": {"low": 0.2, "high": 0.9},
            "from_run": "a" * 32,
        }
    ],
    "site": {
        "name": "St. Elsewhere",
        "verification": "20261128T000000000000-abcdef",
        "at": TIME,
        "who": "Ada",
        "reason": "Agrees",
        "criterion": {
            "sensitivity": 0.9,
            "specificity": 0.8,
            "confidence": 0.95,
            "stated_by": "Ada",
            "stated_at": TIME,
        },
        "threshold_old": 0.5,
        "threshold_new": 0.4,
        "figures": {},
        "estimates": {"sensitivity": ESTIMATE},
        "lower_bounds": {"sensitivity": 0.85},
        "patient_groups": {"ALL": 4, "Normal": 4},
        "cells": {"ALL": 40, "Normal": 40},
        "unanswered": {"blurred": 1},
        "earlier": 1,
    },
}
BROKEN = [float("nan"), float("inf"), -float("inf"), "\ud800", [[[[[[[[[[[[[1]]]]]]]]]]]]], "x" * 10_001]
WRONG_TYPES = [True, "high", {"a": 1}, ["a", 1], 10**400]
# Kind of a field to values that it cannot have.
KINDS = {
    "share": [*WRONG_TYPES, None, -0.01, 1.01, 1e300],
    "bound": [*WRONG_TYPES, None, 0, 1.01],
    "maybe share": [*WRONG_TYPES, -0.01, 1.01],
    "difference": [*WRONG_TYPES, -1.01, 1.01],
    "positive": [*WRONG_TYPES, None, 0, -1, 1e300],
    "not negative": [*WRONG_TYPES, None, -0.01, 1e300],
    "number": [*WRONG_TYPES, None, 1e300],
    "maybe number": [*WRONG_TYPES, 1e300],
    "colour": [*WRONG_TYPES, None, -10.1, 10.1],
    "colour's spread": [*WRONG_TYPES, None, -0.01, 10.1],
    "channels": [1, "a", {}, None, [], [1, 1]],
    "limit": [*WRONG_TYPES, None, -1, 1e6],
    "micrometres": [*WRONG_TYPES, 0, -1, 1e6],
    "count": [*WRONG_TYPES, None, -1, 1.5, 10**12],
    "from one": [*WRONG_TYPES, None, 0, -1, 1.5, 10**12],
    "side": [*WRONG_TYPES, None, 0, 7, 1.5, 100_000],
    "views": [*WRONG_TYPES, None, 0, 9],
    "flag": [0, 1, "yes", None, {}],
    "name": [1, None, [], {}, "", " ", "x" * 301],
    "text": [1, [], {}, True],
    "time": [1, None, [], {}, "", "soon", "2026-11-28", "2026-11-28T07:35:43"],
    "digest": [1, None, [], "", "a" * 63, "A" * 64, "g" * 64],
    "word": [1, [], {}, "", "other"],
    "list": [1, "a", {}, None],
    "part": [1, "wide", [1], True],
    "setting": [],
    "format": [None, "1", 1.0, True, 0, 99],
    "class": [None, 2, "1", True],
    "classes": [None, 1, {}, {"Normal": 1, "ALL": 0}],
}
# Place of a field to its kind, the first that fits.
PLACES = {
    "version": "format",
    "classes": "classes",
    "classes\\..*": "class",
    "created|changes\\.0\\.at|site\\.at|.*\\.stated_at": "time",
    "recipe\\.training(\\..*)|recipe\\.(refit|reads|morphology).*": "setting",
    "recipe\\.name|changes\\.0\\.(who|from)|site\\.(name|who|verification)|.*stated_by": "name",
    "data\\.fingerprint|calibration\\.method": "name",
    "split\\.\\w+\\.groups\\.\\d+": "text",
    "split\\.\\w+\\.groups|history|changes": "list",
    "split\\.(by|left_out)|preprocessing\\.channels|engine\\.precision|.*\\.promises\\.\\w+\\.\\w+": "word",
    "data\\.synthetic": "flag",
    "epochs\\.best": "from one",
    "views": "views",
    "preprocessing\\.crop": "side",
    "preprocessing\\.pixel_size": "micrometres",
    "calibration\\.stretch": "positive",
    "calibration\\.shift": "number",
    "calibration\\.log_loss_out_of_fold\\.\\w+": "not negative",
    "novelty\\.limit": "limit",
    "stain\\.middle\\.\\d": "colour",
    "stain\\.spread\\.\\d": "colour's spread",
    "stain\\.(middle|spread)": "channels",
    "stain\\.cells": "from one",
    "indeterminate\\.(missed|alarmed)": "bound",
    "engine\\.auroc_difference": "difference",
    "engine\\.largest_change": "maybe share",
    "history\\.\\d+\\.\\w+": "maybe number",
    "files\\.[\\w.]+": "digest",
    ".*\\.(value|low|high)": "maybe share",
    "(threshold|indeterminate(\\.out_of_fold)?|novelty|site\\.(criterion|lower_bounds))\\.\\w+_?recall|"
    "(indeterminate\\.out_of_fold|site\\.criterion|site\\.lower_bounds)\\.(?!stated)\\w+|"
    "novelty\\.(pass|passed_out_of_fold)|changes\\.0\\.(old|new)|site\\.threshold_(old|new)|"
    "stress\\.[^.]*\\.change": "share",
    ".*(cells|patient_groups|unanswered)\\.\\w+|data\\.(cells|patient_groups|corrected|doubted|reviewed|reviewed_cases)|"
    "epochs\\.run|split\\.(seed|folds)|confusion\\.\\w+|.*\\.(patients_right|lost|found|parameters|earlier|"
    "calibrated_on|judged_on)": "count",
    "(threshold|split|engine|data|changes\\.0|site|preprocessing|recipe|stress\\.[^.]*)\\."
    "(worst_source|warning|reason|chosen|chosen_on|from_run|scale|summary)|versions\\.\\w+.*": "text",
    ".*": "part",
}
# Of a bundle that can be either, these must be shares and not absent.
NEVER_ABSENT = re.compile(r"threshold\.value|(indeterminate|.*\.limits\w*)\.(low|high)")


def whole_record():
    record = json.loads((SHIPPED / bundles.RECORD).read_text()) | copy.deepcopy(FURTHER)
    del record["site"]["figures"]
    record.pop("parts", None)  # of an earlier version
    record["threshold"] |= {"value": 0.4, "worst_source": "fold_0", "limits": {"low": 0.2, "high": 0.9}}
    record["indeterminate"]["promises"] = {"fold_0": {"missed": "guaranteed", "alarmed": "kept"}}
    record["data"] |= {"corrected": 1, "doubted": 1, "reviewed": 2, "reviewed_cases": 1, "warning": "changed"}
    record["split"] |= {"warning": "leaky", "left_out": "patients"}
    record["preprocessing"] |= {"pixel_size": 0.05}
    for part in ("training", "test"):
        record["split"][part]["groups"] = record["split"][part]["groups"][:1]
    record["history"] = record["history"][:1]
    record["epochs"] = {"run": 1, "best": 1}
    return record


RECORD = whole_record()


def places(value, place=""):
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        here = f"{place}.{name}" if place else str(name)
        yield here
        yield from places(inner, here)


def changed(place, value):
    record = copy.deepcopy(RECORD)
    fields = record
    *way, last = _way(place)
    for name in way:
        fields = fields[name]
    fields[last] = value
    return record


def _way(place):
    """The names in a place, of which some hold a dot: "engine.xml"."""
    fields, rest = RECORD, place
    while rest:
        names = fields if isinstance(fields, dict) else range(len(fields))
        name = next(one for one in names if f"{rest}.".startswith(f"{one}."))
        yield name
        fields, rest = fields[name], rest[len(str(name)) + 1 :]


def kind_of(place):
    return next(kind for pattern, kind in PLACES.items() if re.fullmatch(pattern, place))


def refused(record):
    with pytest.raises(BundleError) as error:
        schema.parse(json.dumps(record), "it")
    said = str(error.value)
    assert said.startswith("it ") and said.endswith(".") and "\n" not in said and len(said) < 600
    return said


def fields_of(model, seen=()):
    """All models below a model."""
    for field in model.model_fields.values():
        for kind in _models(field.annotation):
            if kind not in seen:
                yield kind
                yield from fields_of(kind, (*seen, kind))


def _models(annotation):
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [one for inner in getattr(annotation, "__args__", ()) for one in _models(inner)]


def test_the_record_is_right_and_holds_each_field_of_the_schema():
    assert schema.parse(json.dumps(RECORD), "it").to_dict() == RECORD
    named = {part for place in places(RECORD) for part in place.split(".")}
    for model in (schema.Record, *fields_of(schema.Record)):
        for name, field in model.model_fields.items():
            assert (field.alias or name) in named, f"{model.__name__}.{name} is in no test"


@pytest.mark.parametrize("place", sorted(places(RECORD)))
def test_a_wrong_value_is_refused(place):
    kind = kind_of(place)
    wrong = BROKEN + KINDS[kind] + ([None] if NEVER_ABSENT.fullmatch(place) else [])
    for value in wrong:
        refused(changed(place, value))


def test_what_is_taken_for_a_part_is_one():
    """The last pattern of PLACES takes in no single value, which would have a range of its own."""
    for place in places(RECORD):
        fields = RECORD
        for name in _way(place):
            fields = fields[name]
        assert (kind_of(place) == "part") <= isinstance(fields, dict), place


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"indeterminate.low": 0.95}, "indeterminate should have a low end that is not above its high end"),
        ({"figures.auroc": {"value": 0.9, "low": 0.95, "high": 0.92}}, "low end that is not above"),
        ({"epochs.best": 2}, "epochs should have its best epoch among those that were run"),
        ({"history": []}, "it should have a history of the epochs that were run"),
        ({"confusion": {"tn": 1}}, "it should count tn, fp, fn and tp in confusion"),
        ({"threshold.value": 0.3}, "it should have the threshold of its latest change"),
        ({"engine.auroc_difference": None}, "engine should say what int8 changes"),
        ({"by_source.each_cell.patients_right": 7}, "should not have more patients right than there are"),
        ({"by_source.sources.fold_0.figures": {}}, "should have the figures alarmed, auroc"),
        ({"stress.JPEG 90.lost": 10}, "should not have more cells lost than were found"),
        ({"threshold.limits.low": 0.5}, "threshold should have limits with its value between them"),
        ({"three_way.each_cell": {}}, "three_way should have the shares alarmed, all_indeterminate"),
        ({"split.test.cells": {"ALL": 1, "Blast": 2}}, "should count the classes Normal and ALL"),
        ({"indeterminate.promises": {"a": {"missed": "kept"}}}, "should promise missed and alarmed"),
        ({"added_later": [[float("nan")]]}, "added_later.0.0 should be a finite number"),
        ({"added_later": {"b\0": 1}}, "a name in added_later should be a text"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(changes, says):
    record = copy.deepcopy(RECORD)
    for place, value in changes.items():
        if place == "added_later":
            record[place] = value
        else:
            record = changed(place, value)
    assert says in refused(record)


def test_words_that_stand_in_two_places_are_the_same():
    worth = answering.Worth.__args__
    assert set(worth) == {conformal.GUARANTEED, conformal.KEPT, conformal.BROKEN, conformal.TOO_FEW}
    assert set(sources.NAMES) == breakdown.FIGURES
    assert set(three_way.NAMES.values()) == breakdown.SHARES


def test_a_loss_that_diverged_is_on_record_as_not_defined():
    from leukemia.training.bundle_record import _history

    assert _history([{"loss": float("nan"), "val_loss": 0.5}]) == ({"loss": None, "val_loss": 0.5},)
    record = changed("history", [{"loss": None, "val_loss": 0.5}])
    assert schema.parse(json.dumps(record), "it").history[0]["loss"] is None
