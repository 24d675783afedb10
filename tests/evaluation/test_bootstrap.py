import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.errors import DatasetError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.bootstrap import Counts, PatientBootstrap, limits
from tests.support import plain_estimates
from tests.support.plain_estimates import same


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_every_figure_and_interval_is_that_of_the_plain_bootstrap(answers, seed):
    predictions = answers(seed, most=10)
    same(estimates.of(predictions, 0.4), plain_estimates.every(predictions, 0.4))
    same(
        estimates.at_threshold(PatientBootstrap(predictions), 0.99),
        plain_estimates.at_threshold(predictions, 0.99),
    )


def test_figures_of_patients_are_those_of_their_means(answers):
    predictions = answers(2)
    people = predictions.groupby(["patient_group", "label"], as_index=False)["probability"].mean()
    expected = estimates.of(people, 0.3)
    found = estimates.of_patients(predictions, 0.3)
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {name: one.value for name, one in expected.items()}
    )
    ranked = ("auroc", "average_precision", "brier", "ece")
    same({name: found[name] for name in ranked}, {name: expected[name] for name in ranked})
    # All 5 of 5 right is no certainty: the interval has a width.
    perfect = people.assign(probability=(people["label"] == "ALL") * 0.8 + 0.1)
    assert estimates.of_patients(perfect, 0.5)["sensitivity"].low < 0.9


def test_each_resample_is_scikit_learns_figure_with_weights(answers):
    predictions = answers(3)
    cells = PatientBootstrap(predictions, resamples=20)
    called = cells.probability >= 0.35
    at, ranking = estimates.at(cells, 0.35), estimates.ranking(cells)
    for row, drawn in enumerate(cells.weights):
        weights = drawn[cells.unit]
        expected = {
            "sensitivity": sk.recall_score(cells.truth, called, sample_weight=weights),
            "ppv": sk.precision_score(cells.truth, called, sample_weight=weights),
            "specificity": sk.recall_score(cells.truth, called, pos_label=False, sample_weight=weights),
            "accuracy": sk.accuracy_score(cells.truth, called, sample_weight=weights),
            "f1": sk.f1_score(cells.truth, called, sample_weight=weights),
            "weighted_f1": sk.f1_score(cells.truth, called, average="weighted", sample_weight=weights),
            "auroc": sk.roc_auc_score(cells.truth, cells.probability, sample_weight=weights),
            "average_precision": sk.average_precision_score(
                cells.truth, cells.probability, sample_weight=weights
            ),
            "brier": sk.brier_score_loss(cells.truth, cells.probability, sample_weight=weights),
        }
        for name, value in expected.items():
            assert (at | ranking)[name][row] == pytest.approx(value, abs=1e-12)


def test_rates_of_arrays_are_the_rates_of_metrics_also_where_a_denominator_is_zero():
    rng = np.random.default_rng(0)
    counts = np.vstack([rng.integers(0, 4, (200, 4)), [[0, 0, 0, 3], [0, 2, 0, 1], [0, 0, 0, 0]]]).astype(
        float
    )
    rates = metrics.rates(*Counts(*counts.T))
    truth = np.array([True, True, False, False])
    called = np.array([True, False, True, False])
    for row, weights in enumerate(counts):
        for name, value in metrics.rates_of_cells(truth, called, weights).items():
            assert rates[name][row] == pytest.approx(value, abs=1e-12, nan_ok=True)


def test_whole_patients_are_drawn_within_each_class(answers):
    cells = PatientBootstrap(answers(4), resamples=50)
    assert (cells.weights[0] == 1).all()
    for label, size in cells.units["label"].value_counts().items():
        assert (cells.weights[:, (cells.units["label"] == label).to_numpy()].sum(axis=1) == size).all()


def test_a_patient_with_cells_of_both_classes_counts_in_each():
    predictions = pd.DataFrame(
        {
            "patient_group": ["a", "a", "b", "c"],
            "label": ["ALL", "Normal", "ALL", "Normal"],
            "probability": [0.9, 0.4, 0.2, 0.1],
        }
    )
    cells = PatientBootstrap(predictions, resamples=10)
    assert len(cells.units) == 4
    same(
        {"sensitivity": estimates.at_threshold(cells, 0.5)["sensitivity"]},
        {
            "sensitivity": estimates.by_resampling(
                predictions,
                lambda w: metrics.rates_of_cells(cells.truth, cells.probability >= 0.5, w),
                resamples=10,
            )["sensitivity"]
        },
    )


def test_one_class_alone_is_refused_in_a_sentence(answers):
    predictions = answers()
    with pytest.raises(DatasetError, match="No Normal cell among"):
        PatientBootstrap(predictions[predictions["label"] == "ALL"])


def test_a_band_leaves_out_resamples_that_do_not_define_it():
    values = np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, np.nan], [2.0, np.nan]])
    low, high = limits(values)
    assert (low[0], high[0]) == tuple(np.percentile([0.0, 2.0], [2.5, 97.5]))
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_patients_weigh_the_same_however_many_cells_they_have(answers):
    predictions = answers(5)
    twice = pd.concat([predictions, predictions[predictions["patient_group"] == "p1"]])
    one, other = (PatientBootstrap(frame, resamples=20, equal=True) for frame in (predictions, twice))
    for name, column in estimates.at(one, 0.4).items():
        assert estimates.at(other, 0.4)[name] == pytest.approx(column), name
    assert one.weights[0][one.unit] == pytest.approx(metrics.patient_weights(predictions))


def test_patients_are_drawn_within_each_stratum_and_a_part_keeps_its_draws(answers):
    predictions = answers(6, patients=18)
    number = predictions["patient_group"].str[1:].astype(int)
    predictions = predictions.assign(source=np.where(number < 9, "a", "b"))
    cells = PatientBootstrap(predictions, resamples=30, strata=("label", "source"))
    for _, members in cells.units.groupby(["label", "source"]).indices.items():
        assert (cells.weights[:, members].sum(axis=1) == len(members)).all()
    part = cells.within((cells.units["source"] == "a").to_numpy())
    own = (predictions["source"] == "a").to_numpy()
    called = part.probability >= 0.4
    for row, drawn in enumerate(part.weights):
        weights = drawn[part.unit][own]
        expected = sk.recall_score(part.truth[own], called[own], sample_weight=weights)
        assert estimates.at(part, 0.4)["sensitivity"][row] == pytest.approx(expected)
        auroc = sk.roc_auc_score(part.truth[own], part.probability[own], sample_weight=weights)
        assert estimates.auroc(part)[row] == pytest.approx(auroc)
