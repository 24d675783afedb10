import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset.quality.checks import NOTE, OK, UNKNOWN
from leukemia.evaluation import label_issues
from leukemia.settings import PROJECT


def predictions(seed=0, count=400, flipped=12):
    """A good model's probabilities, and labels of which some are swapped."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 2 == 0
    probability = np.where(truth, 0.9, 0.1) + rng.uniform(-0.05, 0.05, count)
    wrong = rng.choice(count, flipped, replace=False)
    label = np.where(truth ^ np.isin(np.arange(count), wrong), "ALL", "Normal")
    frame = pd.DataFrame({"image_id": [f"{n:064x}" for n in range(count)], "label": label})
    return frame.assign(patient_group="1", probability=probability), wrong


def test_swapped_labels_are_the_suspects():
    held_out, wrong = predictions()
    rows = label_issues.find(held_out)
    sure = {f"{n:064x}" for n in wrong}
    assert set(rows["image_id"]) <= sure
    assert len(rows) >= len(sure) / 3
    assert (rows["suggested"] != rows["label"]).all()
    assert rows["confidence"].is_monotonic_increasing


def test_the_rule_is_the_published_one():
    """Suspect: the other class gets at least what it gets on average among the cells that bear it."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "label": rng.choice(["ALL", "Normal"], 500),
            "probability": rng.beta(0.6, 0.6, 500),
            "row": range(500),
        }
    )
    rows = label_issues.find(frame)
    is_all, p = (frame["label"] == "ALL").to_numpy(), frame["probability"].to_numpy()
    mean_all, mean_normal = p[is_all].mean(), (1 - p[~is_all]).mean()
    over_all, over_normal = p >= mean_all, 1 - p >= mean_normal
    # Over both means, the likelier class is meant (ibid., equation 1).
    confident = np.where(over_all & over_normal, p > 0.5, over_all)
    expected = (over_all | over_normal) & (confident != is_all)
    assert set(rows["row"]) == set(np.flatnonzero(expected))


def test_without_both_classes_there_is_nothing_to_compare():
    held_out, _ = predictions()
    one = held_out[held_out["label"] == "ALL"]
    assert label_issues.find(one).empty
    assert label_issues.find(one.iloc[:0]).empty
    assert {"suggested", "confidence"} <= set(label_issues.find(one).columns)


def cells_of(held_out):
    return held_out[["image_id", "label"]].assign(path=held_out["image_id"] + ".png", doubted=False)


def checked(held_out, cells, **options):
    return label_issues.check(cells, held_out, threshold=0.5, model="small", **options)


def test_the_check_tells_suspects_and_the_models_own_errors():
    held_out, wrong = predictions()
    check = checked(held_out, cells_of(held_out))
    assert check.level == NOTE
    assert f"{len(check.rows)} suspects among 400 held-out cells" in check.finding
    assert f"disagrees with {len(wrong) / 400:.0%} of these cells' labels" in check.finding


def test_a_corrected_or_doubted_cell_is_no_suspect_any_more():
    held_out, _ = predictions()
    cells = cells_of(held_out)
    before = checked(held_out, cells).rows
    first, second = before["image_id"].iloc[:2]
    other = {"ALL": "Normal", "Normal": "ALL"}
    cells.loc[cells["image_id"] == first, "label"] = other[before["label"].iloc[0]]
    cells.loc[cells["image_id"] == second, "doubted"] = True
    after = checked(held_out, cells).rows
    assert {first, second} & set(after["image_id"]) == set()


def test_what_is_missing_is_said(tiny_bundle):
    held_out, _ = predictions()
    cells = cells_of(held_out)
    assert "No model bundle at x." in label_issues.without_model("No model bundle at x.").finding
    strange = checked(bundles.read(tiny_bundle).predictions, cells)
    assert (strange.level, strange.rows.empty) == (UNKNOWN, True)
    assert "no held-out answer" in strange.finding
    assert checked(held_out, cells, leaky=True).level == UNKNOWN


def test_a_model_that_agrees_with_all_labels_has_no_suspect():
    held_out, _ = predictions(flipped=0)
    check = checked(held_out, cells_of(held_out))
    assert (check.level, len(check.rows)) == (OK, 0)


@pytest.mark.process
def test_neither_suspects_nor_the_map_bring_tensorflow_to_a_page():
    code = (
        "import sys, pandas as pd\n"
        "from leukemia.inference import embedding\nfrom leukemia.evaluation import label_issues\n"
        "label_issues.find(pd.DataFrame({'label': ['ALL', 'Normal'] * 9, 'probability': [.9, .1] * 9}))\n"
        "print([name for name in ('tensorflow', 'keras', 'torch', 'umap') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT, text=True).strip() == "[]"
