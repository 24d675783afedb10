import hashlib
import json

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import schema
from leukemia.errors import BundleError
from leukemia.settings import SHIPPED
from tests.support import bundle_factory


def test_the_shipped_record_goes_in_and_out_unchanged():
    text = (SHIPPED / bundles.RECORD).read_text()
    assert schema.parse(text, "it").to_dict() == json.loads(text)
    expected = hashlib.sha256(json.dumps(json.loads(text), sort_keys=True).encode()).hexdigest()
    assert bundles.read(SHIPPED).identity == expected


def test_what_a_record_lacks_or_nobody_knows_here_stays_as_it_is(copied_bundle):
    changes = {
        "threshold.value": 1,
        "figures.auroc": {"value": 0.5, "low": None, "high": None},
        "added_later": [1, {"a": None}],
    }
    bundle_factory.edit(copied_bundle, changes)
    record = bundles.read(copied_bundle).record
    assert record.to_dict() == json.loads((copied_bundle / bundles.RECORD).read_text())
    assert isinstance(record.to_dict()["threshold"]["value"], int)
    assert "views" not in record.to_dict()
    assert (record.views, record.split.folds, record.novelty, record.changes) == (1, 0, None, ())


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("version", 2, "a newer version of this program: its format is version 2"),
        ("version", "1", "does not state its format version"),
        ("version", None, "does not state its format version"),
        ("threshold.value", "high", "threshold.value should be a number"),
        ("threshold.value", True, "threshold.value should be a number"),
        ("threshold.value", float("nan"), "threshold.value should be a finite number"),
        ("split.folds", 5.5, "split.folds should be a valid integer"),
        ("split.test.groups", "a", "split.test.groups should be a valid list"),
        ("data.synthetic", 0, "data.synthetic should be a valid boolean"),
        ("figures.auroc", 0.9, "figures.auroc should hold value, low and high"),
        ("figures.auroc", {"value": 0.9}, "figures.auroc should hold value, low and high"),
        ("figures.auroc", {"value": "x", "low": 0, "high": 1}, "figures.auroc should be a number"),
        ("recipe", ["small"], "recipe should be"),
        ("files", None, "files should be"),
    ],
)
def test_a_field_of_a_wrong_type_is_said_in_a_sentence(copied_bundle, place, value, says):
    bundle_factory.edit(copied_bundle, {place: value})
    with pytest.raises(BundleError, match=says) as refused:
        bundles.read(copied_bundle)
    assert str(refused.value).count("\n") == 0
    assert str(refused.value).endswith(".")


def test_all_missing_fields_are_named(copied_bundle):
    record = json.loads((copied_bundle / bundles.RECORD).read_text())
    del record["epochs"], record["threshold"]["value"]
    with pytest.raises(BundleError, match=r"it lacks epochs, threshold\.value\."):
        schema.parse(json.dumps(record), "it")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000])
def test_what_is_no_record_is_said_in_a_sentence(text):
    with pytest.raises(BundleError, match=r"^it .*\.$"):
        schema.parse(text, "it")
