import json
import subprocess
import sys

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import predictions
from leukemia.errors import BundleError
from leukemia.evaluation.estimate import Estimate
from leukemia.settings import PROJECT
from tests.support import bundle_factory


def test_a_bundle_tells_what_it_is(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    assert bundle.recipe == "tiny-test"
    assert bundle.name == f"tiny-test {bundle.digest[:8]}"
    assert bundle.threshold == 0.5
    assert bundle.input_size == 256
    assert bundle.synthetic
    assert not bundle.leaky
    assert tuple(bundle.predictions.columns) == predictions.COLUMNS
    assert len(bundle.predictions) == 60
    assert isinstance(bundle.record.estimates["auroc"], Estimate)


def test_the_card_has_the_nine_sections_and_the_notice(tiny_bundle):
    card = bundles.read(tiny_bundle).card
    assert card.count("\n## ") == 9
    assert "For research use only, not for use in diagnostic procedures." in card


@pytest.mark.parametrize("name", bundles.CHECKED)
def test_an_altered_or_missing_file_is_noticed(copied_bundle, name):
    path = copied_bundle / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=rf"{name} is not the file"):
        bundles.read(copied_bundle)
    path.unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        bundles.read(copied_bundle)


def test_what_is_no_bundle_says_so(tmp_path):
    with pytest.raises(BundleError, match="No model bundle at"):
        bundles.read(tmp_path / "gone")
    with pytest.raises(BundleError, match="is not a model bundle"):
        bundles.read(tmp_path)
    (tmp_path / bundles.RECORD).write_text("{")
    with pytest.raises(BundleError, match="damaged"):
        bundles.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 99}, "a newer version"),
        ({"classes": {"ALL": 0, "Normal": 1}}, "Normal = 0 and ALL = 1"),
        ({"threshold": None}, "lacks threshold"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(copied_bundle, change, says):
    path = copied_bundle / bundles.RECORD
    record = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not None}))
    with pytest.raises(BundleError, match=says):
        bundles.read(copied_bundle)


def test_versions_that_share_a_network_are_told_apart(copied_bundle):
    first = bundles.read(copied_bundle)
    second = bundles.read(bundle_factory.edit(copied_bundle, {"threshold.value": 0.25}))
    assert second.digest == first.digest
    assert second.identity != first.identity
    assert bundles.read(copied_bundle).identity == second.identity


@pytest.mark.process
def test_reading_a_bundle_needs_no_heavy_library():
    code = (
        "import sys\nfrom leukemia.bundles import bundle\nbundle.read(bundle.Path('models/champion'))\n"
        "heavy = ('numpy', 'pandas', 'sklearn', 'openvino', 'keras', 'tensorflow', 'mlflow')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT, text=True).strip() == "[]"
