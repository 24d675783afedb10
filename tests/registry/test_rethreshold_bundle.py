"""A bundle with another threshold: whole, or nothing of it."""

import errno

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import writer
from leukemia.errors import BundleError
from leukemia.evaluation import metrics, three_way
from leukemia.evaluation.estimate import as_record
from leukemia.operating_point import OperatingPoint
from leukemia.registry import rethreshold, versions
from tests.support import plain_estimates


def save(bundle, place, threshold=0.3, **changes):
    given = {"who": "Dr. Ada", "reason": "Fewer misses", "chosen": "by hand", "target": 0.97} | changes
    return rethreshold.write_bundle(bundle, place, OperatingPoint.of(threshold), **given)


@pytest.fixture
def bundle(copied_bundle):
    return bundles.read(copied_bundle)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_threshold_is_saved_as_a_version_of_its_own(bundle, tmp_path):
    before = files(bundle.folder)
    new = save(bundle, tmp_path, 0.3)
    assert files(bundle.folder) == before
    assert new.folder == tmp_path / "copy-at-0.300"
    assert new.threshold == 0.3
    assert new.digest == bundle.digest
    assert versions.read(new.folder).bundle is not None
    (change,) = new.record.changes
    assert (change.who, change.reason, change.old, change.new) == ("Dr. Ada", "Fewer misses", 0.5, 0.3)
    assert change.source == "copy"
    assert change.at.endswith("+00:00")
    assert new.record.confusion == metrics.confusion(bundle.predictions, 0.3)
    expected = as_record(plain_estimates.at_threshold(bundle.predictions, 0.3))
    record = as_record(new.record.estimates)
    assert {name: record[name] for name in expected} == expected
    assert new.record.estimates["auroc"] == bundle.record.estimates["auroc"]
    assert "Dr\\. Ada" in new.card
    assert "at a probability of 0.3000 or above" in new.card
    assert "the held-out patients" in new.record.threshold.chosen_on


def test_limits_chosen_by_hand_are_saved_with_their_figures(bundle, tmp_path):
    point = bundle.operating_point.moved(0.2, 0.8)
    given = {"who": "Dr. Ada", "reason": "Fewer misses", "chosen": "by hand", "target": 0.97}
    new = rethreshold.write_bundle(bundle, tmp_path, point, **given)
    assert new.operating_point == point == OperatingPoint(0.2, 0.8, 0.5)
    assert new.threshold == bundle.threshold
    (change,) = new.record.changes
    assert (change.limits_old.low, change.limits_old.high) == (0.5, 0.5)
    assert (change.limits_new.low, change.limits_new.high) == (0.2, 0.8)
    shares = three_way.evaluate(bundle.predictions, point)
    recorded = as_record(new.record.three_way.each_cell)
    assert recorded == as_record(shares) and recorded["all_indeterminate"]["value"] > 0
    assert str(point) in new.card and "limits 0.5000 and 0.5000 → 0.2000 and 0.8000" in new.card
    # A threshold within them leaves them where they are; one beyond them widens them.
    assert new.operating_point.around(0.3).limits == (0.2, 0.8)
    third = rethreshold.write_bundle(new, tmp_path, new.operating_point.around(0.9), **given)
    assert third.operating_point == OperatingPoint(0.2, 0.9, 0.9)
    with pytest.raises(BundleError, match="nothing to save"):
        rethreshold.write_bundle(new, tmp_path, point, **given)


def test_changes_add_up_and_names_stay_apart(bundle, tmp_path):
    first = save(bundle, tmp_path, 0.3)
    again = save(bundle, tmp_path, 0.3, who="B*b")
    assert again.folder.name == "copy-at-0.300-2"
    assert "B\\*b" in again.card
    third = save(first, tmp_path, 0.25)
    assert third.folder.name == "copy-at-0.250"
    assert [change.new for change in third.record.changes] == [0.3, 0.25]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"who": "  "}, "give your name"),
        ({"reason": ""}, "and a reason"),
        ({"who": "x" * 201}, "at most 200"),
        ({"threshold": 0.5}, "own threshold and limits"),
        ({"threshold": float("nan")}, "from 0 to 1"),
        ({"threshold": 1.2}, "from 0 to 1"),
    ],
)
def test_what_cannot_be_saved_is_said(bundle, tmp_path, changes, message):
    with pytest.raises(BundleError, match=message):
        save(bundle, tmp_path, **changes)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_version_that_was_altered_meanwhile_is_not_copied(bundle, tmp_path):
    (bundle.folder / bundles.WEIGHTS).write_bytes(b"altered")
    with pytest.raises(BundleError, match="is not the file that was written"):
        save(bundle, tmp_path)


def test_on_a_full_disk_nothing_is_left_behind(bundle, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.shutil, "copyfile", full)
    with pytest.raises(BundleError, match="No space left on device"):
        save(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
