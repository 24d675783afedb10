"""The figures that a record states are those of its held-out predictions, or it is not registered."""

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import figures
from leukemia.cli.main import UNUSABLE, main
from leukemia.errors import BundleError
from leukemia.registry import rethreshold, versions
from leukemia.settings import PROJECT
from tests.support.bundle_factory import blurred, copy_bundle, edit, judge_by_source, write_predictions

ESTIMATE = {"value": 0.999, "low": 0.9, "high": 1.0}


@pytest.fixture
def judged(tiny_bundle, tmp_path):
    """A bundle with figures by source, and all that follows from predictions as it should be."""
    bundle = bundles.read(judge_by_source(copy_bundle(tiny_bundle, tmp_path / "judged")))
    new = figures.of(bundle.predictions, bundle.operating_point)
    (bundle.folder / bundles.RECORD).write_text(bundle.record.model_copy(update=new).to_json())
    return bundle.folder


def test_the_built_in_model_states_the_figures_of_its_predictions():
    figures.check(bundles.read(PROJECT / "models" / "champion"))


def test_a_bundle_as_it_was_written_is_registered(judged, tmp_path, capsys):
    assert main(["register", str(judged), "--data", str(tmp_path / "data")]) == 0
    assert "is version 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("figures.auroc", ESTIMATE, "0.999 for figures auroc"),
        ("patient_figures.sensitivity", ESTIMATE, "0.999 for patient_figures sensitivity"),
        ("three_way.each_patient.missed", ESTIMATE, "0.999 for three_way each_patient missed"),
        ("by_source.sources.fold_2.figures.ece", ESTIMATE, "0.999 for by_source sources fold_2 figures ece"),
        ("by_source.each_cell.patients_right", 0, "0 for by_source each_cell patients_right"),
        ("confusion.fn", 77, "77 for confusion fn"),
    ],
)
def test_a_figure_that_the_predictions_do_not_give_is_refused(judged, tmp_path, capsys, place, value, words):
    edit(judged, {place: value})
    assert main(["register", str(judged), "--data", str(tmp_path / "data")]) == UNUSABLE
    told = capsys.readouterr().err.strip()
    assert f"cannot be registered: it states {words}, and its held-out predictions give " in told
    assert "\n" not in told
    assert versions.registered(tmp_path / "data") == []


def test_other_predictions_under_the_same_figures_are_refused(tiny_bundle, tmp_path):
    folder = write_predictions(copy_bundle(tiny_bundle, tmp_path / "other"), blurred(tiny_bundle))
    with pytest.raises(BundleError, match="its held-out predictions give"):
        figures.check(bundles.read(folder))


def test_predictions_of_one_class_give_no_figures(tiny_bundle, tmp_path):
    frame = bundles.read(tiny_bundle).predictions
    folder = write_predictions(copy_bundle(tiny_bundle, tmp_path / "one"), frame[frame["label"] == "ALL"])
    with pytest.raises(BundleError, match=r"do not give the figures that it states\. No Normal cell"):
        figures.check(bundles.read(folder))


def test_what_an_older_record_does_not_have_is_not_asked_for(judged, tmp_path):
    record = bundles.read(judged).record.to_dict()
    for name in ("three_way", "by_source"):
        del record[name]
    (judged / bundles.RECORD).write_text(bundles.schema.Record.model_validate(record).to_json())
    figures.check(bundles.read(judged))
    older = edit(judged, {"patient_figures": {}, "figures": {"an_older_name": ESTIMATE}})
    figures.check(bundles.read(older))


def test_another_threshold_has_its_own_figures(judged, tmp_path):
    bundle = bundles.read(judged)
    given = {"who": "Ada", "reason": "fewer missed", "chosen": "by hand", "target": 0.95}
    point = type(bundle.operating_point)(0.1, 0.6, 0.25)
    figures.check(rethreshold.write_bundle(bundle, tmp_path, point, **given))
