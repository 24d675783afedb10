import numpy as np
import pandas as pd
import pytest

from leukemia.errors import DatasetError
from leukemia.imaging import morphology
from leukemia.inference.features import Features
from leukemia.inference.neighbours import Index


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0, 1, (30, 8)), rng.normal(3, 1, (30, 8))]).astype(np.float32)


@pytest.fixture
def cells():
    labels = ["Normal"] * 30 + ["ALL"] * 30
    patients = [f"{label[0]}{n % 30 // 6}" for n, label in enumerate(labels)]
    return pd.DataFrame(
        {
            "image_id": [f"image{n}" for n in range(60)],
            "path": [f"{n}.png" for n in range(60)],
            "label": labels,
            "patient": patients,
            "patient_group": patients,
        }
    )


def index(values, cells, learned=None):
    table = cells[["path", "image_id"]].assign(probability=0.5, **dict.fromkeys(morphology.NAMES, 1.0))
    return Index(Features(table, values), cells, frozenset(cells["image_id"] if learned is None else learned))


def test_the_nearest_of_each_class_are_those_that_a_plain_search_finds(values, cells):
    made = index(values, cells)
    by_class, same = made.nearest(values[0] + 0.01, "another image")
    assert same == []
    for label, found in by_class.items():
        of_class = [n for n in range(60) if cells["label"][n] == label]
        plain = [
            np.sqrt(
                sum(((value[one] - values[0][one] - 0.01) / values[:, one].std()) ** 2 for one in range(8))
                / 8
            )
            for value in values
        ]
        nearest = sorted(of_class, key=lambda n: plain[n])[:3]
        assert [one.image_id for one in found] == [f"image{n}" for n in nearest]
        assert [one.distance for one in found] == pytest.approx([plain[n] for n in nearest], rel=1e-3)
        assert all(one.label == label for one in found)


def test_the_identical_image_is_no_neighbour_but_is_named(values, cells):
    by_class, same = index(values, cells).nearest(values[5], "image5")
    assert [one.image_id for one in same] == ["image5"]
    assert all(one.image_id != "image5" for found in by_class.values() for one in found)


def test_cells_of_the_same_patient_are_marked(values, cells):
    cells.loc[:, "patient_group"] = "other"
    cells.loc[[5, 7], "patient_group"] = "one"
    values[7] = values[5]
    by_class, _ = index(values, cells).nearest(values[5], "image5")
    assert by_class["Normal"][0].image_id == "image7"
    assert [one.same_patient for one in by_class["Normal"]] == [True, False, False]


def test_patients_who_are_not_known_are_not_the_same_patient(values, cells):
    cells.loc[:, "patient_group"] = ""
    by_class, _ = index(values, cells).nearest(values[5], "image5")
    assert not any(one.same_patient for found in by_class.values() for one in found)


def test_only_training_cells_count_and_labels_are_those_of_now(values, cells):
    cells.loc[1, "label"] = "ALL"
    by_class, _ = index(values, cells, {f"image{n}" for n in (1, 2, 40, 41)}).nearest(values[1], "x")
    assert {one.image_id for one in by_class["Normal"]} == {"image2"}
    assert by_class["ALL"][0].image_id == "image1"
    assert len(by_class["ALL"]) == 3


def test_a_set_that_the_model_did_not_learn_from_is_an_error(values, cells):
    with pytest.raises(DatasetError, match="no cells that this model learned from"):
        index(values, cells, {"image1", "image2"})


def test_a_unit_that_never_fires_does_not_decide(values, cells):
    silent = np.zeros((60, 1), np.float32)
    expected, _ = index(values, cells).nearest(values[0], "x")
    with_silent, _ = index(np.hstack([values, silent]), cells).nearest(np.append(values[0], 100.0), "x")
    for label, found in expected.items():
        assert [one.image_id for one in with_silent[label]] == [one.image_id for one in found]


def test_a_usual_distance_is_that_of_cells_taken_at_random(values, cells):
    made = index(values, cells)
    by_class, _ = made.nearest(values[0], "image0")
    assert by_class["Normal"][0].distance < made.usual < 2
