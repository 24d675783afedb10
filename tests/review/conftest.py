import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def answers():
    """Make held-out predictions of patients who differ, with ties, as a function of the seed."""

    def make(seed=0, patients=9, most=40, sharpness=1.5):
        rng = np.random.default_rng(seed)
        rows = []
        for number in range(patients):
            label = "ALL" if number % 3 else "Normal"
            middle = rng.normal(sharpness if label == "ALL" else -sharpness, 0.8)
            size = int(rng.integers(2, most))
            probability = 1 / (1 + np.exp(-rng.normal(middle, 1.5, size)))
            rows += [
                (f"{seed}-{number}-{i}", f"p{number}", label, p) for i, p in enumerate(probability.round(2))
            ]
        return pd.DataFrame(rows, columns=["image_id", "patient_group", "label", "probability"])

    return make
