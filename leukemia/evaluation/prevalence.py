"""What an answer is worth where ALL is rarer, or more common, than among the held-out cells."""

import numpy as np
import pandas as pd

from leukemia.evaluation import estimates
from leukemia.evaluation.bootstrap import PatientBootstrap, limits
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.estimates import estimate

LEAST, POINTS = 0.001, 121


def values(
    sensitivity: np.ndarray, specificity: np.ndarray, prevalence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """PPV and NPV by Bayes' theorem; arrays that fit together, NaN where nothing is called so."""
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    missed, cleared = (1 - sensitivity) * prevalence, specificity * (1 - prevalence)
    with np.errstate(invalid="ignore", divide="ignore"):
        return hits / (hits + alarms), cleared / (cleared + missed)


def at(cells: PatientBootstrap, threshold: float, prevalence: float) -> dict[str, Estimate]:
    """PPV and NPV at a prevalence (share of ALL among the cells, 0 to 1), with their intervals."""
    rates = estimates.at(cells, threshold)
    ppv, npv = values(rates["sensitivity"], rates["specificity"], np.array(prevalence))
    return {"ppv": estimate(ppv), "npv": estimate(npv)}


def curve(cells: PatientBootstrap, threshold: float) -> pd.DataFrame:
    """PPV and NPV against the prevalence.

    Returns
    -------
    pandas.DataFrame
        Columns prevalence (0.001 to 0.999, evenly by logit), and ppv and npv each with _low and _high.
    """
    rates = estimates.at(cells, threshold)
    ends = np.log(LEAST / (1 - LEAST))
    prevalence = 1 / (1 + np.exp(-np.linspace(ends, -ends, POINTS)))
    out = pd.DataFrame({"prevalence": prevalence})
    sensitivity, specificity = rates["sensitivity"][:, None], rates["specificity"][:, None]
    for name, value in zip(("ppv", "npv"), values(sensitivity, specificity, prevalence), strict=True):
        out[name] = value[0]
        out[f"{name}_low"], out[f"{name}_high"] = limits(value)
    return out
