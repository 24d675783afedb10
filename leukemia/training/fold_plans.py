"""What each fold of a cross-validation holds out, by the fold's name."""

from collections.abc import Mapping
from dataclasses import replace

from leukemia.dataset import splits
from leukemia.evaluation.breakdown import subgroups
from leukemia.training.plan import Plan
from leukemia.training.training_data import TrainingData


def by_patient(plan: Plan) -> dict[str, Plan]:
    """Names and plans of folds of whole patients."""
    return {
        f"fold {number + 1}/{plan.folds}": replace(plan, split="fold", fold=number)
        for number in range(plan.folds)
    }


def by_source(plan: Plan, dataset: TrainingData) -> dict[str, Plan]:
    """Names and plans of folds of whole sources."""
    return {
        f"without {source}": replace(plan, split="source", fold=number, sources=(source,))
        for number, source in enumerate(splits.sources(dataset.cells))
    }


def beyond_hard_sources(plan: Plan, plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """A further plan, without both hard sources, where sources are left out and these are among them."""
    left_out = {source for one in plans.values() for source in one.sources}
    hard = subgroups.HARD_SOURCES
    if not left_out > set(hard):
        return {}
    return {f"without {' and '.join(hard)}": replace(plan, split="source", sources=hard)}
