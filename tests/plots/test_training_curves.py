"""What the curves of a training show, and what is said of them."""

import math

import pytest

from leukemia.plots import training_curves
from leukemia.plots.training_curves import Epochs
from tests.support.job_factory import epoch, validated


def test_validation_that_gets_better_is_said_to():
    assert "lowest in epoch 2 (0.500), the last one" in training_curves.loss_caption(
        [validated(0.5), validated(0.4)], {}
    )


def test_overfitting_is_said():
    history = [validated(0.5), validated(0.4, val_loss=0.6), validated(0.3, val_loss=0.7)]
    said = training_curves.loss_caption(history, {})
    assert (
        "lowest in epoch 1 (0.600) and is 0.700 now, while training loss is still falling: a sign of "
        "overfitting" in said
    )
    assert "The best epoch is kept" in said


def test_a_rise_of_one_epoch_is_no_alarm():
    said = training_curves.loss_caption([validated(0.5), validated(0.4, val_loss=0.7)], {})
    assert "overfitting" not in said
    assert "lowest in epoch 1" in said


@pytest.mark.parametrize("step", [{"loss": math.nan}, {"loss": math.inf}])
def test_a_loss_that_is_no_number_is_said_with_what_to_do(step):
    assert "lower learning rate" in training_curves.loss_caption([epoch(0.5)], step)
    assert "lower learning rate" in training_curves.loss_caption([epoch(step["loss"])], {})


def test_without_anybody_held_out_no_validation_is_spoken_of():
    assert "No patients are held out for validation" in training_curves.loss_caption([epoch(0.5)], {})
    assert "80% of the training ALL cells" in training_curves.rates_caption([epoch(0.5)])


def test_recall_and_specificity_are_given_for_validation_and_against_training():
    said = training_curves.rates_caption([validated(0.5, recall=0.95, specificity=0.85)])
    assert "75% of the validation ALL cells are found and 65% of the normal cells" in said
    assert "20 points better on average" in said
    assert "points better" not in training_curves.rates_caption(
        [validated(0.5, recall=0.76, specificity=0.66)]
    )


def test_charts_have_titles_units_and_every_epoch():
    epochs = Epochs([validated(0.5), epoch(0.4)], {"loss": 0.3}, 0.5, 8, [[epoch(0.9)]])
    drawn = training_curves.loss(epochs)
    rows, chart = drawn.rows, drawn.spec
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
    shares = training_curves.rates(epochs).spec
    assert shares["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert shares["encoding"]["y"]["axis"]["title"] == "Share of cells"


def test_a_chart_without_rows_is_one():
    chart = training_curves.rates(Epochs([]))
    assert chart.rows.empty
    assert list(chart.rows) == list(training_curves.COLUMNS)
    assert chart.spec["layer"]


@pytest.mark.parametrize("chart", [training_curves.loss, training_curves.rates])
def test_a_legend_names_no_line_that_there_is_none_of(chart):
    def named(history):
        (encoding,) = [
            layer["encoding"] for layer in chart(Epochs(history)).spec["layer"] if "params" in layer
        ]
        return encoding["color"]["scale"]["domain"]

    one = {"loss": 0.5, "recall": 0.9, "specificity": 0.8}
    everything = named([])
    assert any("alidation" in line for line in everything)
    assert named([one | {f"val_{name}": value for name, value in one.items()}]) == everything
    assert named([one]) == [line for line in everything if "alidation" not in line]
