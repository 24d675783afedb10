import numpy as np
import pandas as pd

from leukemia.evaluation import class_ranges


def table(values, patient, label="ALL"):
    return pd.DataFrame({"label": label, "patient_group": patient, "size": values})


def test_with_as_many_cells_each_it_is_the_percentile():
    cells = table(np.arange(100.0), [f"p{n % 10}" for n in range(100)])
    assert class_ranges.of(cells, ["size"]) == {"size": {"ALL": (4.0, 94.0)}}


def test_a_patient_with_many_cells_weighs_no_more_than_others():
    many = table(np.full(1_000, 50.0), "p0")
    few = pd.concat([table([float(n)], f"p{n}") for n in range(1, 20)])
    low, high = class_ranges.of(pd.concat([many, few]), ["size"])["size"]["ALL"]
    assert (low, high) == (1.0, 19.0)


def test_classes_are_apart_and_what_has_no_value_is_left_out():
    cells = pd.concat([table([1.0, 2.0, np.nan], "a"), table([7.0], "b", "Normal")])
    assert class_ranges.of(cells, ["size"]) == {"size": {"ALL": (1.0, 2.0), "Normal": (7.0, 7.0)}}
