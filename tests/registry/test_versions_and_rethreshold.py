import errno
import shutil

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import writer
from leukemia.errors import BundleError
from leukemia.evaluation import estimates, metrics
from leukemia.registry import rethreshold, versions
from tests.support import bundle_factory, plain_estimates


def save(bundle, place, threshold=0.3, **changes):
    given = {"who": "Dr. Ada", "reason": "Fewer misses", "chosen": "by hand", "target": 0.97} | changes
    return rethreshold.write_bundle(bundle, place, threshold, **given)


@pytest.fixture
def bundle(copied_bundle):
    return bundles.read(copied_bundle)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_versions_are_the_model_in_service_and_bundles_beside_and_below_it(copied_bundle, tmp_path):
    for name in ("zulu", "able"):
        shutil.copytree(copied_bundle, tmp_path / name)
    shutil.copytree(copied_bundle, copied_bundle / "old")
    shutil.copytree(copied_bundle, tmp_path / ".partial-x")
    (tmp_path / "notes").mkdir()
    folders = versions.folders(copied_bundle)
    assert [str(path.relative_to(tmp_path)) for path in folders] == ["copy", "able", "copy/old", "zulu"]
    assert all(versions.read(path).bundle for path in folders)


def test_a_broken_version_is_a_sentence(copied_bundle, tmp_path):
    broken = shutil.copytree(copied_bundle, tmp_path / "broken")
    (broken / bundles.CARD).write_text("another card")
    assert "is not the file that was written" in versions.read(broken).problem
    (broken / bundles.RECORD).unlink()
    assert broken in versions.folders(copied_bundle)
    assert "has no bundle.json" in versions.read(broken).problem
    assert "No model bundle" in versions.read(tmp_path / "nowhere").problem
    assert versions.folders(tmp_path / "nowhere" / "else") == [tmp_path / "nowhere" / "else"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,label\na,ALL\n", "lacks the column"),
        ("image_id,patient_group,label,probability\na,1,ALL,1.5\n", "without a label, a patient or"),
        ("image_id,patient_group,label,probability\na,1,blast,0.5\n", "without a label, a patient or"),
        ("image_id,patient_group,label,probability\na,,ALL,0.5\n", "without a label, a patient or"),
        ("", "cannot be read"),
    ],
)
def test_unusable_predictions_are_a_sentence(copied_bundle, text, message):
    (copied_bundle / bundles.PREDICTIONS).write_text(text)
    bundle_factory.sign(copied_bundle, bundles.PREDICTIONS)
    assert message in versions.read(copied_bundle).problem


def test_a_stamp_tells_an_altered_file(copied_bundle):
    before = versions.stamp(copied_bundle)
    assert versions.stamp(copied_bundle) == before
    (copied_bundle / bundles.ENGINE).write_text("altered")
    assert versions.stamp(copied_bundle) != before


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
    expected = estimates.as_record(plain_estimates.at_threshold(bundle.predictions, 0.3))
    record = estimates.as_record(new.record.estimates)
    assert {name: record[name] for name in expected} == expected
    assert new.record.estimates["auroc"] == bundle.record.estimates["auroc"]
    assert "Dr\\. Ada" in new.card
    assert "at a probability of 0.3000 or more" in new.card
    assert "the held-out patients" in new.record.threshold.chosen_on


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
        ({"threshold": 0.5}, "own threshold"),
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
