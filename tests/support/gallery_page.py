"""What tests of the Dataset page do and read: a model of the drawn set, the page opened, cards taken in."""

import json
import re

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from tests.support.app import open_page
from tests.support.bundle_factory import copy_bundle

THRESHOLD = 0.5


@pytest.fixture(scope="module")
def cells(looked_through):
    return manifest.read(looked_through)


@pytest.fixture(scope="module")
def own_bundle(drawn_bundle, tmp_path_factory):
    """The bundle of the drawn set, with held-out answers at random: sure and unsure, right and wrong."""
    predictions = bundles.read(drawn_bundle).predictions
    probability = np.random.default_rng(4).random(len(predictions)).round(6)
    predictions = predictions.assign(probability=probability)
    return copy_bundle(drawn_bundle, tmp_path_factory.mktemp("own") / "bundle", predictions=predictions)


@pytest.fixture
def predictions(own_bundle):
    return bundles.read(own_bundle).predictions


@pytest.fixture
def visit(looked_through, own_bundle, monkeypatch):
    """Open the Dataset page at an address; return the app."""

    def start(bundle=own_bundle, data=looked_through, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_page("dataset", **query)

    return start


def cards(page, key="gallery-grid"):
    """What the grid was given to show."""
    (component,) = [g for g in page.get("bidi_component") if g.proto.id.endswith(key)]
    return json.loads(component.proto.json)["cards"]


def matching(page):
    """What the line says matches: images, of all, ALL, Normal, unlabelled, patients, groups."""
    (line,) = [m.value for m in page.markdown if "match" in m.value]
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", line)]
