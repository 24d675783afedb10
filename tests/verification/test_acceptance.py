"""Accepting a verified version: only where the criterion is met, and on record for whom, by whom and why."""

import math
import shutil
from dataclasses import replace

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from leukemia.registry import rethreshold, versions
from leukemia.tracking import run_history
from leukemia.tracking.records import RunKind
from leukemia.verification import acceptance, answering, store
from leukemia.verification.statistics import Criterion, Verdict
from tests.support.bundle_factory import edit

WHO = {"who": "Dr. Grace", "reason": "Agrees with our smears"}


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "data"


@pytest.fixture
def answered(stated, bundle, cells):
    return answering.answer(stated, bundle, cells)


def accept(data, verification, bundle, judgement=acceptance.SHIPPED, **given):
    return acceptance.accept(data, verification, versions.read(bundle.folder), judgement, **(WHO | given))


def test_the_versions_own_threshold_is_accepted_as_it_is(data, answered, bundle):
    done = accept(data, answered, bundle)
    assert store.read(data, answered.id) == done and done.accepted.version == 1
    (version,) = versions.registered(data)
    assert version.facts[versions.SITE] == "St. Elsewhere" and version.note == "accepted for St. Elsewhere"
    own = versions.bundle(data, 1)
    site = own.record.site
    assert (site.name, site.who, site.reason) == ("St. Elsewhere", *WHO.values())
    assert (site.criterion.sensitivity, site.criterion.stated_by) == (0.2, "Dr. Ada")
    assert site.criterion.stated_at == answered.stated.at <= site.at
    assert site.estimates["sensitivity"] == answered.result.shipped.sensitivity.estimate
    assert site.lower_bounds["specificity"] == answered.result.shipped.specificity.bound
    assert (site.patient_groups, site.cells) == ({"Normal": 6, "ALL": 6}, {"Normal": 18, "ALL": 18})
    assert (own.threshold, own.record.changes) == (bundle.threshold, ())
    assert "## Accepted for a laboratory" in own.card and plain("Dr. Grace") in own.card
    (run,) = run_history.runs(data)
    assert (run.kind, run.by, run.name) == (
        RunKind.SITE,
        "Dr. Grace",
        "tiny-test (accepted for St. Elsewhere)",
    )


def test_the_laboratorys_own_threshold_is_a_change_that_was_not_chosen_on_the_held_out_cells(
    data, answered, bundle
):
    result = answered.result
    assert result.own.threshold != bundle.threshold
    accept(data, answered, bundle, acceptance.OWN)
    own = versions.bundle(data, 1)
    assert own.threshold == own.record.site.threshold_new == result.own.threshold
    assert own.record.site.threshold_old == bundle.threshold
    (change,) = own.record.changes
    assert (change.who, change.old, change.new) == ("Dr. Grace", bundle.threshold, result.own.threshold)
    assert own.record.threshold.chosen_on == "12 patients of St. Elsewhere"
    assert "same patients as the metrics" not in own.card
    assert own.record.site.estimates["sensitivity"] == result.own.sensitivity.estimate
    # Another threshold was never verified.
    again = versions.fetch(data, versions.registered(data)[0])
    given = {"who": "Ada", "reason": "Try", "chosen": "by hand", "target": 0.9}
    rethreshold.save(data, again, OperatingPoint.of(0.11), **given)
    assert versions.bundle(data, 2).record.site is None
    assert versions.SITE not in versions.registered(data)[0].facts


def test_what_does_not_meet_the_criterion_is_never_accepted(data, answered, bundle):
    result = answered.result
    short = replace(
        result.shipped, sensitivity=replace(result.shipped.sensitivity, verdict=Verdict.NOT_SHOWN)
    )
    missed = replace(answered, result=replace(result, shipped=short))
    assert list(missed.result.acceptable) == ["own"]
    with pytest.raises(BundleError, match="not met at this threshold"):
        accept(data, missed, bundle)
    with pytest.raises(BundleError, match="not met at this threshold"):
        accept(data, replace(answered, result=None), bundle)
    assert versions.registered(data) == []


def test_it_takes_a_reason_the_same_version_and_happens_once(data, answered, bundle, tmp_path):
    with pytest.raises(BundleError, match="and a reason"):
        accept(data, answered, bundle, reason=" ")
    other = bundles.read(edit(shutil.copytree(bundle.folder, tmp_path / "other"), {"threshold.value": 0.4}))
    with pytest.raises(BundleError, match="Another model version"):
        accept(data, answered, other)
    done = accept(data, answered, bundle)
    with pytest.raises(BundleError, match="before, as version 1"):
        accept(data, done, bundle)
    assert len(versions.registered(data)) == 1


def test_a_result_without_an_error_reads_back_as_it_was(stated, bundle, cells):
    done = answering.answer(stated, bundle, cells)
    perfect = replace(done.result.shipped.sensitivity, design_effect=math.nan)
    shipped = replace(done.result.shipped, sensitivity=perfect)
    store.write_result(done, store.cells(done), replace(done.result, shipped=shipped))
    read = store.read(done.data, done.id).result.shipped.sensitivity
    assert math.isnan(read.design_effect) and read.value == perfect.value


def test_one_who_is_not_the_first_to_know_the_results_is_on_record(data, answered, bundle, cells):
    again = store.state(data, bundle, "tiny", "St. Elsewhere", Criterion(0.1, 0.1), "Ada")
    accept(data, answering.answer(again, bundle, cells), bundle)
    own = versions.bundle(data, 1)
    assert own.record.site.earlier == 1 and "1 earlier verification" in own.card
