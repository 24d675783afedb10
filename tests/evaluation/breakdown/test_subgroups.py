import numpy as np
import pandas as pd
import pytest

from leukemia.dataset import manifest
from leukemia.dataset.catalog import brightness
from leukemia.evaluation import held_out
from leukemia.evaluation.breakdown import subgroups
from tests.support import plain_estimates


@pytest.fixture
def known(answers):
    predictions = answers(0)
    rng = np.random.default_rng(0)
    size = len(predictions)
    return predictions.assign(
        cell_area=rng.integers(20_000, 50_000, size),
        brightness=np.where(np.arange(size) % 5, rng.uniform(30, 80, size), np.nan),
        source=np.where(np.arange(size) % 2, "fold_0", "fold_2"),
    )


def test_thirds_are_equal_and_leave_out_what_is_not_measured(known):
    for by, column in ((subgroups.SIZE, "cell_area"), (subgroups.BRIGHTNESS, "brightness")):
        part = subgroups.split(known, by)
        sizes = part.value_counts()
        assert len(sizes) == 3
        assert sizes.max() - sizes.min() <= 1
        assert part.notna().sum() == known[column].notna().sum()
        ends = known.groupby(part, observed=True)[column].agg(["min", "max"])
        assert ends["max"].iloc[:-1].tolist() <= ends["min"].iloc[1:].tolist()


def test_figures_of_a_part_are_those_of_its_cells(known):
    part = known["source"].astype("category")
    table = subgroups.table(known, part, 0.4).set_index("part")
    for name, row in table.iterrows():
        own = known[known["source"] == name]
        expected = plain_estimates.at_threshold(own, 0.4) | {"auroc": subgroups.auroc(own)}
        for key in subgroups.NAMES:
            value = expected[key]
            ends = [row[key], row[f"{key}_low"], row[f"{key}_high"]]
            assert ends == pytest.approx([value.value, value.low, value.high])
        assert row["all_cells"] + row["normal_cells"] == len(own)


def test_a_part_with_one_class_has_one_rate(known):
    known = known.assign(source=np.where(known["label"] == "ALL", "fold_1", "fold_0"))
    table = subgroups.table(known, known["source"].astype("category"), 0.4).set_index("part")
    own = known[known["label"] == "ALL"]
    assert table.loc["fold_1", "sensitivity"] == pytest.approx((own["probability"] >= 0.4).mean())
    assert table.loc["fold_1", "sensitivity_low"] < table.loc["fold_1", "sensitivity"]
    assert np.isnan(table.loc["fold_1", ["specificity", "auroc"]].astype(float)).all()
    assert np.isnan(table.loc["fold_0", ["sensitivity", "auroc"]].astype(float)).all()
    assert table.loc["fold_0", "normal_cells"] == len(known) - len(own)


def test_the_worst_part_needs_enough_cells(known):
    table = pd.DataFrame({"part": list("abc"), "all_cells": [100, 3, 50], "sensitivity": [0.9, 0.1, 0.8]})
    assert subgroups.worst(table)["part"] == "c"
    assert subgroups.worst(table[:2]) is None
    assert subgroups.worst(pd.DataFrame()) is None


def test_facts_come_from_the_manifest_and_the_measurements(prepared, tmp_path):
    import shutil

    data = shutil.copytree(prepared, tmp_path / "data")
    cells = manifest.read(data)
    predictions = cells[["image_id"]][::-1].reset_index(drop=True).assign(probability=0.5)
    predictions.loc[len(predictions)] = ["f" * 64, 0.5]
    facts = held_out.facts(data, predictions)
    assert facts["brightness"].isna().all()
    brightness.measure(data, workers=2)
    facts = held_out.facts(data, predictions)
    assert facts["image_id"].tolist() == predictions["image_id"].tolist()
    own = cells.set_index("image_id").loc[facts["image_id"][:-1]]
    for column in ("cell_area", "source", "path"):
        assert facts[column][:-1].tolist() == own[column].tolist()
    assert facts["brightness"][:-1].notna().all()
    assert facts.iloc[-1][list(held_out.COLUMNS)].isna().all()


def test_without_a_prepared_folder_a_cross_validations_own_facts_remain(tmp_path):
    predictions = pd.DataFrame(
        {"image_id": ["a", "b"], "cell_area": [10, 20], "source": ["fold_0", "fold_1"]}
    )
    facts = held_out.facts(tmp_path, predictions)
    assert facts["cell_area"].tolist() == [10, 20]
    assert facts["source"].tolist() == ["fold_0", "fold_1"]
    assert facts[["brightness", "path"]].isna().all(axis=None)
    bare = held_out.facts(tmp_path, predictions[["image_id"]])
    assert bare[list(held_out.COLUMNS)].isna().all(axis=None)
