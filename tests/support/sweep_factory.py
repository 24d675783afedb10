"""Sweeps as tests ask for them, and their studies."""

from leukemia.recipes import search_space
from leukemia.training import sweep as sweeps
from leukemia.training import sweep_study, training_data
from tests.training.test_run import PLAN

# A recipe that uses everything that is varied here; its own network is not used.
RECIPE = "reference-cnn"
VARY = ("learning_rate=0.0001:0.01", "dropout=0:0.5")


def asked(*vary, trials=3, plan=PLAN):
    return sweeps.Sweep(plan, search_space.axes(RECIPE, vary or VARY), trials)


def study_of(asked, data):
    dataset = training_data.load(data, asked.plan)
    return sweep_study.study(data, sweeps.study_name(asked, dataset))
