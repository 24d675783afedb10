import numpy as np
import pandas as pd

from leukemia.training.sampling import draw_epoch, draw_reference


def test_an_epoch_is_balanced_by_class_and_by_patient():
    counts = {"H1": 3, "H2": 40, "1": 200, "2": 5, "3": 60}
    frame = pd.DataFrame(
        [(name, "Normal" if name[0] == "H" else "ALL") for name, n in counts.items() for _ in range(n)],
        columns=["patient_group", "label"],
    )
    drawn = frame.iloc[draw_epoch(frame, 120, np.random.default_rng(0))]
    assert drawn["label"].value_counts().to_dict() == {"Normal": 60, "ALL": 60}
    # A patient with few cells does not teach them by heart: each at most twice.
    assert drawn["patient_group"].value_counts().to_dict() == {"H1": 6, "H2": 54, "1": 25, "2": 10, "3": 25}
    assert drawn.index.value_counts().max() == 2
    many = draw_epoch(frame, 400, np.random.default_rng(0))
    assert len(many) == 400, "where no other is left, all begin anew"


def test_no_cell_is_drawn_twice_before_its_patients_others():
    frame = pd.DataFrame({"patient_group": ["H"] * 10 + ["1"] * 10, "label": ["Normal"] * 10 + ["ALL"] * 10})
    drawn = draw_epoch(frame, 20, np.random.default_rng(0))
    assert sorted(drawn) == list(range(20))


def test_rows_of_the_reference_are_training_rows_each_once_and_the_same_again():
    rng = np.random.default_rng(1)
    cells = pd.DataFrame(
        [("ALL" if n % 2 else "Normal", f"p{n}") for n in range(10) for _ in range(int(rng.integers(2, 60)))],
        columns=["label", "patient_group"],
    )
    training = np.flatnonzero(cells["patient_group"] != "p3")
    rows = draw_reference(cells, training, seed=0)
    assert set(rows) <= set(training)
    assert len(np.unique(rows)) == len(rows)
    assert np.array_equal(rows, draw_reference(cells, training, seed=0))
