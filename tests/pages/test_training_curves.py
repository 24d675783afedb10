"""What the curves of a training show, and what is said of them."""

import math

import pytest

from pages.sections.training import live_charts, notices, times
from pages.sections.training.live_charts import Seen
from tests.support.job_factory import epoch, validated


def test_validation_that_gets_better_is_told_as_such():
    assert "lowest in epoch 2 (0.500), the last one" in notices.loss([validated(0.5), validated(0.4)], {})


def test_learning_by_heart_is_told():
    history = [validated(0.5), validated(0.4, val_loss=0.6), validated(0.3, val_loss=0.7)]
    said = notices.loss(history, {})
    assert "lowest in epoch 1 (0.600) and is 0.700 now, while training loss falls on" in said
    assert "The best epoch is kept" in said


def test_a_rise_of_one_epoch_is_no_alarm():
    said = notices.loss([validated(0.5), validated(0.4, val_loss=0.7)], {})
    assert "falls on" not in said
    assert "lowest in epoch 1" in said


@pytest.mark.parametrize("step", [{"loss": math.nan}, {"loss": math.inf}])
def test_a_loss_that_is_no_number_is_told_with_what_to_do(step):
    assert "lower learning rate" in notices.loss([epoch(0.5)], step)
    assert "lower learning rate" in notices.loss([epoch(step["loss"])], {})


def test_without_anybody_held_out_no_validation_is_spoken_of():
    assert "Nobody is held out" in notices.loss([epoch(0.5)], {})
    assert "80% of the training ALL cells" in notices.rates([epoch(0.5)])


def test_recall_and_specificity_are_told_of_validation_and_against_training():
    said = notices.rates([validated(0.5, recall=0.95, specificity=0.85)])
    assert "75% of the validation ALL cells are found and 65% of the normal ones" in said
    assert "20 points better on average" in said
    assert "points better" not in notices.rates([validated(0.5, recall=0.76, specificity=0.66)])


def test_charts_have_titles_units_and_every_epoch():
    seen = Seen([validated(0.5), epoch(0.4)], {"loss": 0.3}, 0.5, 8, [[epoch(0.9)]])
    rows, chart = live_charts.loss(seen)
    assert chart["title"]["text"] == "Loss by epoch"
    assert chart["encoding"]["x"]["axis"]["title"] == "Epoch"
    assert chart["encoding"]["y"]["axis"]["title"] == "Loss (cross-entropy)"
    assert chart["encoding"]["x"]["scale"]["domain"] == [0, 8.5]
    assert rows[["epoch", "value", "line", "mark"]].values.tolist() == [
        [1.0, 0.9, "Training", "earlier"],
        [1.0, 0.5, "Training", "finished"],
        [2.0, 0.4, "Training", "finished"],
        [2.5, 0.3, "Training", "under way"],
        [1.0, 0.6, "Validation", "finished"],
    ]
    _, shares = live_charts.rates(seen)
    assert shares["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert shares["encoding"]["y"]["axis"]["title"] == "Share of cells"


def test_a_chart_without_rows_is_one():
    rows, chart = live_charts.rates(Seen([]))
    assert rows.empty
    assert list(rows) == list(live_charts.COLUMNS)
    assert chart["layer"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "5 seconds"), (42, "40 seconds"), (60, "1 minute"), (754, "13 minutes"), (7_500, "2 h")],
)
def test_lengths_of_time_are_no_more_exact_than_they_are_known(seconds, said):
    assert times.about(seconds).startswith(said)
