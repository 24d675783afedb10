import numpy as np
import pandas as pd
import pytest

from leukemia.dataset import splits
from leukemia.errors import DatasetError


def cells(normal=8, leukemic=14, seed=0):
    """Manifest rows of patients with a long tail of cells."""
    rng = np.random.default_rng(seed)
    rows = []
    for label, count, prefix in (("Normal", normal, "H"), ("ALL", leukemic, "")):
        for patient in range(1, count + 1):
            name = f"{prefix}{patient}"
            for cell in range(int(rng.integers(2, 60))):
                rows.append((f"{name}-{cell}", f"{name}/{cell}.webp", label, name))
    return pd.DataFrame(rows, columns=["image_id", "path", "label", "patient_group"])


@pytest.mark.parametrize("seed", range(5))
def test_no_patient_stands_on_two_sides(seed):
    frame = cells()
    part = splits.by_patient(frame, seed)
    sides = pd.crosstab(frame["patient_group"], part)
    assert ((sides > 0).sum(axis=1) == 1).all()
    assert splits.check_disjoint(frame, part) == 22


def test_every_part_has_both_classes_in_about_three_to_one_to_one():
    frame = cells(10, 20)
    part = splits.by_patient(frame)
    groups = frame.drop_duplicates("patient_group")
    table = pd.crosstab(groups["label"], part[groups.index])
    assert table.loc["Normal", ["training", "validation", "test"]].tolist() == [6, 2, 2]
    assert table.loc["ALL", ["training", "validation", "test"]].tolist() == [12, 4, 4]


def test_the_seed_decides_and_the_order_of_rows_does_not():
    frame = cells()
    shuffled = frame.sample(frac=1, random_state=3)
    again = splits.by_patient(shuffled, 1)
    assert splits.by_patient(frame, 1).equals(again.sort_index())
    assert not splits.by_patient(frame, 1).equals(splits.by_patient(frame, 2))


def test_large_and_small_patients_are_spread():
    frame = cells(10, 20)
    share = splits.by_patient(frame).value_counts(normalize=True)
    assert 0.5 < share["training"] < 0.7


def test_three_patients_of_a_class_are_enough_and_two_are_not():
    part = splits.by_patient(cells(3, 3))
    assert set(part) == set(splits.SUBSETS)
    with pytest.raises(
        DatasetError, match=r"needs 3 patient groups with Normal cells; here there are only 2"
    ):
        splits.by_patient(cells(2, 9))


@pytest.mark.parametrize("split", splits.SPLITS.values())
def test_a_class_without_images_is_named(split):
    frame = cells()
    with pytest.raises(DatasetError, match="no image labelled ALL"):
        split(frame[frame["label"] == "Normal"])


def test_the_disjointness_check_raises_for_patients_and_for_identical_images():
    frame = cells()
    part = splits.by_patient(frame)
    torn = part.copy()
    first = frame.index[frame["patient_group"] == "H1"]
    torn[first[0]] = next(name for name in splits.SUBSETS if name != part[first[0]])
    with pytest.raises(DatasetError, match="H1 appear in more than one subset"):
        splits.check_disjoint(frame, torn)
    twins = frame.copy()
    a, b = part.index[part == "training"][0], part.index[part == "test"][0]
    twins.loc[b, "image_id"] = twins.loc[a, "image_id"]
    with pytest.raises(DatasetError, match="1 identical images"):
        splits.check_disjoint(twins, part)
    with pytest.raises(DatasetError, match="out of every subset"):
        splits.check_disjoint(frame, part.replace("test", ""))


def test_the_image_split_leaks_as_it_says():
    frame = cells()
    part = splits.by_image(frame)
    assert part.value_counts(normalize=True)["training"] == pytest.approx(0.6, abs=0.02)
    with pytest.raises(DatasetError, match="not by patient"):
        splits.check_disjoint(frame, part)
    assert "leaky" in splits.LEAKY


def test_describe_counts_what_stands_where():
    frame = cells(3, 3)
    part = splits.by_patient(frame)
    told = splits.describe(frame, part)
    assert sum(sum(own["cells"].values()) for own in told.values()) == len(frame)
    assert told["test"]["patient_groups"] == {"ALL": 1, "Normal": 1}
    names = [name for own in told.values() for name in own["groups"]]
    assert sorted(names) == sorted(frame["patient_group"].unique())


def test_a_group_with_cells_of_both_classes_is_counted_in_each_whichever_comes_first():
    frame = cells(3, 3)
    mixed = pd.DataFrame([("a", "a", "Normal", "case"), ("z", "z", "ALL", "case")], columns=frame.columns)
    for rows in (pd.concat([frame, mixed]), pd.concat([mixed[::-1], frame])):
        rows = rows.reset_index(drop=True)
        told = splits.describe(rows, pd.Series("training", index=rows.index))["training"]
        assert told["patient_groups"] == {"ALL": 4, "Normal": 4}
        assert len(told["groups"]) == 7


def with_areas(frame, seed=0):
    rng = np.random.default_rng(seed)
    mean = {name: rng.uniform(20_000, 45_000) for name in sorted(frame["patient_group"].unique())}
    # Every sixth patient is of a part of its own.
    rare = {name: "fold_2" if i % 6 == 0 else "fold_0" for i, name in enumerate(mean)}
    return frame.assign(
        cell_area=frame["patient_group"].map(mean) + rng.normal(0, 500, len(frame)),
        source=frame["patient_group"].map(rare),
    )


@pytest.mark.parametrize("seed", range(3))
def test_folds_hold_whole_patients_of_both_classes_and_all_sizes(seed):
    frame = with_areas(cells(20, 39), seed)
    fold = splits.folds(frame, 5, seed)
    assert (fold.groupby(frame["patient_group"]).nunique() == 1).all()
    groups = frame.drop_duplicates("patient_group")
    table = pd.crosstab(groups["label"], fold[groups.index])
    assert table.loc["Normal"].tolist() == [4] * 5
    assert set(table.loc["ALL"]) <= {7, 8}
    area = frame.groupby("patient_group")["cell_area"].mean()
    for own in groups.groupby("label")["patient_group"].agg(list):
        smallest = area[own].nsmallest(5).index
        assert set(fold[groups.index[groups["patient_group"].isin(smallest)]]) == set(range(5))
    held = pd.crosstab(frame["label"], fold)
    assert (held.max(axis=1) / held.min(axis=1)).max() < 2
    rare = pd.crosstab(groups["source"], fold[groups.index]).loc["fold_2"]
    assert rare.min() >= 1


def test_the_seed_decides_the_folds_and_the_order_of_rows_does_not():
    frame = with_areas(cells())
    shuffled = frame.sample(frac=1, random_state=3)
    assert splits.folds(frame, 4, 1).equals(splits.folds(shuffled, 4, 1).sort_index())
    assert not splits.folds(frame, 4, 1).equals(splits.folds(frame, 4, 2))


def test_folds_need_as_many_patients_of_each_class():
    with pytest.raises(
        DatasetError, match=r"4 folds need as many patient groups with Normal cells; here there are only 3"
    ):
        splits.folds(with_areas(cells(3, 9)), 4)


def test_a_source_is_held_out_with_all_cells_of_its_patients():
    frame = with_areas(cells())
    shared = frame["patient_group"] == "3"
    source = frame["source"].mask(shared & (frame.index % 2 == 0), "fold_2")
    frame = frame.assign(source=source.mask(shared & (frame.index % 2 == 1), "fold_0"))
    part = splits.hold_out_sources(frame, ["fold_2"])
    assert set(part.unique()) == {"training", "test", splits.TIED}
    assert (frame.loc[part == "test", "source"] == "fold_2").all()
    assert (part[frame["source"] == "fold_2"] == "test").all()
    assert set(frame.loc[part == splits.TIED, "patient_group"]) == {"3"}
    test, training = (set(frame.loc[part == name, "patient_group"]) for name in ("test", "training"))
    assert test.isdisjoint(training)
    with pytest.raises(DatasetError, match="no image labelled Normal"):
        splits.hold_out_sources(frame.assign(source=frame["label"]), ["Normal"])


def test_leaving_each_source_out_needs_three():
    frame = with_areas(cells())
    with pytest.raises(DatasetError, match="at least 3 sources; here there are only 2"):
        splits.sources(frame)
    assert splits.sources(frame.assign(source=frame.index % 3)) == [0, 1, 2]
