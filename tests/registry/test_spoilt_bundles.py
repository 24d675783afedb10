"""A bundle with an impossible field is refused at each door; in service, the one before it answers."""

import json
import shutil
import sqlite3

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import UNUSABLE, main
from leukemia.errors import BundleError, RegistryError
from leukemia.registry import promotion, serving, versions
from leukemia.storage.workspace import Workspace
from tests.support.app import go, open_dashboard, said
from tests.support.bundle_factory import SPOILT, copy_bundle, edit, sign, spoil
from tests.support.runs_factory import data_folder, finish_run

PAGES = {
    "classify": [""],
    "dataset": [""],
    "performance": ["metrics", "verify", "compare", "card", "patients"],
    "training": ["", "versions"],
}


@pytest.fixture
def data(tiny_bundle, tmp_path, monkeypatch):
    """A registry with the tiny bundle as version 1 and 2; 1 and then 2 were put in service."""
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", copy_bundle(tiny_bundle, tmp_path / "shipped", recipe="shipped"))
    folder = data_folder(tmp_path / "data")
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    for number in (1, 2):
        finish_run(folder, copy_bundle(tiny_bundle, tmp_path / f"b{number}", recipe=f"made-{number}"))
        promotion.promote(folder, number, "Ada", "better")
    return folder


@pytest.fixture(params=SPOILT)
def spoilt(request, tiny_bundle, tmp_path):
    return spoil(copy_bundle(tiny_bundle, tmp_path / "spoilt"), request.param)


def spoil_registered(data, number, kind):
    """Let a version be as if it had been registered before its fields were checked."""
    run_id = versions.version(data, number).run_id
    folder = data / "mlruns" / run_id / "artifacts" / "bundle"
    before = bundles.checksum(folder / bundles.RECORD)
    after = bundles.checksum(spoil(folder, kind) / bundles.RECORD)
    shutil.rmtree(Workspace(data).serving)
    with sqlite3.connect(Workspace(data).mlflow_db) as database:
        for table in ("model_version_tags", "registered_model_tags"):
            database.execute(f"UPDATE {table} SET value = replace(value, ?, ?)", (before, after))
    database.close()
    assert versions.version(data, number).record_sha256 == after


def test_it_is_refused_by_each_command_in_a_sentence(spoilt, data, drawn_files, tmp_path, capsys):
    named, cells, out = str(spoilt), str(drawn_files), tmp_path / "out.csv"
    stated = ["--min-sensitivity", "0.5", "--min-specificity", "0.5", "--site", "Lab", "--by", "Ada"]
    for arguments in (
        ["register", named],
        ["evaluate", named],
        ["classify", cells, "--output", str(out), "--model", named],
        ["map", "--model", named],
        ["verify", cells, "--model", named, *stated],
    ):
        assert main(arguments) == UNUSABLE, arguments
        told = capsys.readouterr().err.strip()
        assert told.startswith("leukemia: ") and "spoilt" in told and "\n" not in told
    assert not out.exists()
    assert len(versions.registered(data)) == 2


def test_it_does_not_answer_where_the_settings_name_it(spoilt, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(spoilt))
    with pytest.raises(BundleError, match="spoilt"):
        serving.find()


@pytest.mark.parametrize("kind", SPOILT)
def test_registered_earlier_it_is_not_promoted_and_not_rolled_back_to(data, kind):
    spoil_registered(data, 1, kind)
    with pytest.raises(RegistryError, match="The bundle of version 1 is damaged"):
        promotion.promote(data, 1, "Ada", "again")
    assert versions.registry_state(data).champion == 2
    rolled = promotion.roll_back(data, "Ada", "worse")
    assert rolled.event.version is None and "Version 1 was skipped" in rolled.warnings[0]


@pytest.mark.parametrize("kind", SPOILT)
def test_in_service_the_one_before_it_answers(data, kind):
    spoil_registered(data, 2, kind)
    served = serving.find()
    assert (served.version, served.bundle.recipe) == (1, "made-1")
    assert "Version 2 should be in service but cannot be used. The bundle of version 2 is damaged" in (
        served.notice
    )


# Of a spoilt record and spoilt answers every section is opened; of the other kinds, the first of each page.
@pytest.mark.parametrize("kind", ["nan", "text", "deep", "card", "probability"])
@pytest.mark.slow
def test_in_service_no_page_goes_down(data, kind):
    spoil_registered(data, 2, kind)
    page = open_dashboard()
    for name, sections in PAGES.items():
        for section in sections if kind in ("nan", "probability") else sections[:1]:
            go(page, name, **({"section": section} if section else {}))
            assert "Something went wrong" not in said(page), (name, section)
    assert "Version 2 should be in service but cannot be used" in said(go(page, "classify"))
    assert "is damaged" in said(go(page, "performance", version="2"))


@pytest.mark.parametrize(
    "tag",
    ["[1]", "null", '{"auroc": 7}', '{"auroc": {"value": "x"}}', "{" * 9, "9" * 5_000],
)
def test_figures_in_the_registry_that_are_none_are_left_out(data, tag):
    with sqlite3.connect(Workspace(data).mlflow_db) as database:
        database.execute("UPDATE model_version_tags SET value = ? WHERE key = ?", (tag, versions.ESTIMATES))
    database.close()
    assert [one.estimates for one in versions.registered(data)] == [{}, {}]
    assert versions.registered(data)[0].recall is None


def test_the_record_that_is_spoilt_is_right_but_for_that(tiny_bundle, tmp_path):
    folder = copy_bundle(tiny_bundle, tmp_path / "right")
    assert bundles.read(folder).record.to_dict() == json.loads((folder / bundles.RECORD).read_text())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"preprocessing.crop": 128}, "does not read crops of 128 pixels"),
        (
            {"novelty": {"limit": 2, "pass": 0.99, "passed_out_of_fold": 0.99}},
            "does not answer with a probability and a distance",
        ),
        (None, "cannot be loaded"),
    ],
)
def test_a_network_that_does_not_fit_its_record_is_refused(
    changes, says, data, tiny_bundle, drawn_files, tmp_path, capsys
):
    folder = copy_bundle(tiny_bundle, tmp_path / "other")
    if changes is None:
        (folder / bundles.ENGINE).write_text("<net")
        sign(folder, bundles.ENGINE)
    else:
        edit(folder, changes)
    assert main(["register", str(folder)]) == UNUSABLE
    assert says in capsys.readouterr().err
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(folder)]) == UNUSABLE
    assert says in capsys.readouterr().err and not out.exists()
    # Registered by a run of its own, as a training does.
    number = finish_run(data, folder).version
    with pytest.raises(RegistryError, match=f"Version {number} cannot answer. .* {says}"):
        promotion.promote(data, number, "Ada", "better")
    assert serving.find().version == 2
