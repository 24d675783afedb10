"""Each setting of the program reaches its container, and each of the containers is in the example."""

import os
import re

import pytest

from leukemia import settings
from leukemia.settings import PROJECT
from tests.support import deploy

TEXT = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
ASKED = {name for name, *_ in deploy.VARIABLE.findall(TEXT) if name}
LEAST = {"LEUKEMIA_HOST": "leukemia.hospital.example", "POSTGRES_PASSWORD": "s3cret"}
OURS = re.compile(r"\b(?:LEUKEMIA|MLFLOW)_[A-Z_]*[A-Z]\b")


def environments():
    """What each service of the program is given, image and compose.yaml together; by service."""
    services = deploy.compose(LEAST)["services"]
    return {name: deploy.environment() | services[name]["environment"] for name in ("dashboard", "rest")}


def test_each_setting_is_in_the_example():
    text = (PROJECT / "deploy/env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", text, re.MULTILINE)) == ASKED


def test_the_example_as_it_is_changes_nothing():
    text = (PROJECT / "deploy/env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert deploy.compose(given | LEAST) == deploy.compose(LEAST)


def test_each_setting_of_the_program_reaches_it():
    known = set(OURS.findall(settings.__doc__))
    given = set().union(*environments().values())
    assert len(known) > 10 and known <= given
    assert {name for name in given if OURS.fullmatch(name)} <= known


@pytest.mark.parametrize("document", ["access.md", "operations.md", "rest.md", "scale.md"])
def test_what_the_documents_name_is_given_to_a_service(document):
    named = set(OURS.findall((PROJECT / "docs" / document).read_text(encoding="utf-8")))
    assert named <= ASKED | set().union(*environments().values())


@pytest.mark.parametrize("service", ["dashboard", "rest"])
def test_what_is_left_empty_has_the_programs_own_default(service, monkeypatch):
    for name in filter(OURS.fullmatch, tuple(os.environ)):
        monkeypatch.delenv(name)
    given = {name: value for name, value in environments()[service].items() if OURS.fullmatch(name)}
    empty = {name for name, value in given.items() if not value}
    assert {"LEUKEMIA_WORKERS", "MLFLOW_TRACKING_URI"} <= empty
    for name in given.keys() - empty:
        monkeypatch.setenv(name, given[name])
    own = settings.load()
    for name in empty:
        monkeypatch.setenv(name, "")
    assert settings.load() == own
