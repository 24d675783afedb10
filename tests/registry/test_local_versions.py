"""Bundles on this machine as versions: read, or a sentence that says why not."""

import shutil

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.registry import versions
from leukemia.settings import FINDER, SHIPPED
from tests.support import bundle_factory


def test_versions_are_the_model_in_service_and_bundles_beside_and_below_it(copied_bundle, tmp_path):
    for name in ("zulu", "able"):
        shutil.copytree(copied_bundle, tmp_path / name)
    shutil.copytree(copied_bundle, copied_bundle / "old")
    shutil.copytree(copied_bundle, tmp_path / ".partial-x")
    (tmp_path / "notes").mkdir()
    folders = versions.folders(copied_bundle)
    assert [str(path.relative_to(tmp_path)) for path in folders] == ["copy", "able", "copy/old", "zulu"]
    assert all(versions.read(path).bundle for path in folders)


def test_a_fresh_install_has_one_version_and_what_finds_cells_is_none():
    assert (FINDER / bundles.NETWORK).is_file()
    folders = versions.folders(SHIPPED)
    assert SHIPPED in folders
    assert FINDER not in folders


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
        ("image_id,label\na,ALL\n", "lacks columns:"),
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
