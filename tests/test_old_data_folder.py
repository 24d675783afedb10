"""A data folder that the program before its rearrangement made and trained in opens in this one."""

import pytest

from leukemia import jobs
from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.dataset import label_log, manifest
from leukemia.dataset.catalog import brightness
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.registry import promotion, promotion_log, serving, versions
from leukemia.tracking import run_history, sweep_results
from leukemia.tracking.records import RunKind, RunStatus
from tests.support.app import open_page, said
from tests.support.old_data import unpack


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = unpack(tmp_path / "data")
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


def test_its_cells_are_read_and_its_corrected_labels_count(data):
    cells = manifest.read(data)
    assert cells["label"].value_counts().to_dict() == {NORMAL: 27, ALL: 21, "": 7}
    assert all((data / path).is_file() for path in cells["path"])
    second, first = label_log.history(data)
    assert (first.old, first.new, first.reason) == (ALL, NORMAL, "A lymphocyte by its nucleus")
    assert (second.old, second.new, second.who) == (NORMAL, label_log.DOUBTED, "Dr Old")
    corrected = label_log.apply(data, cells).drop_duplicates("image_id").set_index("image_id")["label"]
    assert corrected[first.image_id] == NORMAL
    assert corrected.isin([*LABELS, ""]).all()


def test_its_versions_are_listed_with_who_promoted_them_and_why(data):
    one, two, three, four = sorted(versions.registered(data), key=lambda version: version.number)
    assert [version.number for version in (one, two, three, four)] == [1, 2, 3, 4]
    assert two.in_service and not one.in_service
    assert {version.recipe for version in (one, two, three, four)} == {"dense-baseline"}
    assert all("sensitivity" in version.estimates for version in (one, two, three, four))
    told = [(event.action, event.version, event.by, event.reason) for event in versions.events(data)]
    assert told == [
        (promotion_log.PROMOTED, 1, "Dr Old", "The first of its kind"),
        (promotion_log.PROMOTED, 2, "Dr Old", "Learned longer"),
    ]


def test_its_champion_answers_and_is_rolled_back(data):
    answering = serving.find()
    assert (answering.version, answering.notice) == (2, "")
    path = data / manifest.read(data)["path"].iloc[-1]
    (answer,) = Classifier.load(answering.bundle.folder).classify([Source.file(path, path.name)])
    assert 0 < answer.probability < 1
    promotion.roll_back(data, "Ada", "as before")
    assert serving.find().version == 1
    promotion.promote(data, 4, "Ada", "the best of the sweep")
    assert serving.find().version == 4


def test_its_runs_and_the_trials_of_its_sweep_have_their_figures(data):
    runs = run_history.runs(data)
    assert [run.kind for run in runs].count(RunKind.TRAIN) == 4
    assert {run.status for run in runs} == {RunStatus.FINISHED}
    assert {run.version for run in runs if run.kind == RunKind.TRAIN} == {1, 2, 3, 4}
    assert all(run.estimates["sensitivity"]["value"] >= 0 for run in runs if run.version)
    (sweep,) = [run for run in runs if run.kind == RunKind.SWEEP]
    trials = run_history.children(data, sweep.run_id)
    assert len(trials) == 2
    assert all(run_history.histories(data, trial.run_id) for trial in trials)
    result = sweep_results.of_run(sweep, trials)
    assert len(sweep_results.table(result)) == 2
    (best,) = run_history.best_of(data, sweep.run_id)
    assert best.version == 4


def test_its_ended_jobs_are_shown_as_they_ended(data):
    found = {job.title: jobs.state(job) for job in jobs.history(data)}
    ends = sorted((job.kind, str(jobs.state(job).status)) for job in jobs.history(data))
    assert ends == [("sweep", "done"), ("train", "done"), ("train", "stopped")]
    sweep = found["Sweep of dense-baseline"]
    assert [trial.state for trial in sweep.sweep.trials] == ["complete", "complete"]
    assert {job.by for job in jobs.history(data)} == {"Dr Old"}


def test_its_queue_still_waits(tmp_path):
    waiting = jobs.waiting(unpack(tmp_path / "data", waiting=True))
    assert [(one.title, one.by) for one in waiting] == [("Train of dense-baseline", "Dr Old")] * 2
    assert [one.arguments[one.arguments.index("--seed") + 1] for one in waiting] == ["11", "12"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "section", "shows"),
    [
        ("classify", "", "Model card: dense-baseline"),
        ("dataset", "overview", "of the labelled images"),
        ("dataset", "corrections", "A lymphocyte by its nucleus"),
        ("performance", "threshold", "Of 100 ALL cells"),
        ("training", "runs", "Learned longer"),
        ("training", "now", "Train of dense-baseline"),
    ],
)
def test_every_page_opens_on_it(data, name, section, shows):
    brightness.measure(data, workers=2)  # or a page would start a process that does
    page = open_page(name, **({"section": section} if section else {}))
    everything = said(page) + "".join(str(one.value.to_dict()) for one in page.dataframe)
    everything += "".join(one.label for one in page.expander) + str([one.options for one in page.selectbox])
    assert shows in everything
    assert not [one for one in page.error if "synthetic cells" not in one.value]
