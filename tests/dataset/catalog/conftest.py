"""What the tests of the catalog share: the drawn set's manifest, a model's answers, the rows by pandas."""

import numpy as np
import pytest

from leukemia.dataset import manifest
from leukemia.dataset.catalog.catalog import open_catalog
from leukemia.dataset.catalog.filters import UNKNOWN
from leukemia.operating_point import OperatingPoint
from leukemia.storage.workspace import Workspace

THRESHOLD = 0.4


@pytest.fixture
def data(drawn_set, tmp_path):
    """A copy of the drawn set's manifest that a test may alter; the images are the set's own."""
    for child in drawn_set.iterdir():
        if child.is_dir() and child.name in ("labeled_images", "unlabeled_images"):
            (tmp_path / child.name).symlink_to(child)
    Workspace(tmp_path).manifest.write_bytes(Workspace(drawn_set).manifest.read_bytes())
    return tmp_path


@pytest.fixture
def cells(data):
    return manifest.read(data)


@pytest.fixture
def model(cells):
    """Predictions on a third of the patient groups, and the split that they come from."""
    labelled = cells[cells["label"] != ""]
    groups = sorted(labelled["patient_group"].unique())
    split = {"training": groups[::3], "validation": groups[1::3], "test": groups[2::3]}
    test = labelled[labelled["patient_group"].isin(split["test"])]
    rng = np.random.default_rng(2)
    predictions = test[["image_id", "patient_group", "label"]].assign(
        probability=rng.random(len(test)).round(6)
    )
    # Equal pixels have equal answers.
    first = predictions.groupby("image_id")["probability"].transform("first")
    return predictions.assign(probability=first), split


@pytest.fixture
def known(data, model):
    predictions, split = model
    return open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=split, synthetic=True)


@pytest.fixture
def expected(cells, model):
    """The same rows reckoned with pandas."""
    predictions, split = model
    part = {group: name for name, members in split.items() for group in members}
    probability = cells["image_id"].map(
        predictions.drop_duplicates("image_id").set_index("image_id")["probability"]
    )
    calls_all = probability >= THRESHOLD
    rows = cells.assign(
        probability=probability,
        part=cells["patient_group"].map(part).fillna(UNKNOWN),
        decision=calls_all.map({True: "ALL", False: "Normal"}).where(probability.notna(), UNKNOWN),
    )
    right = (rows["decision"] == rows["label"]).map({True: "right", False: "wrong"})
    return rows.assign(outcome=right.where(probability.notna() & (rows["label"] != ""), UNKNOWN))


def paths(records):
    return [record.path for record in records]
