"""How a laboratory's cells differ, what the band does to them, and the sentences about it."""

import json
import re

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import three_way
from leukemia.imaging import appearance
from leukemia.plots import verification as plots
from leukemia.reports import verification as report
from leukemia.reports import verification_wording as wording
from leukemia.verification import answering, store
from leukemia.verification.statistics import Criterion
from tests.support.bundle_factory import copy_bundle, edit, sign, write_predictions


@pytest.fixture
def measured(tiny_bundle, tmp_path):
    """The bundle with the cells' sizes on record, its healthy ones very small; and a band."""
    predictions = bundles.read(tiny_bundle).predictions
    sizes = np.where(predictions["label"] == "ALL", 30_000, 10_000)
    folder = copy_bundle(tiny_bundle, tmp_path / "measured")
    write_predictions(folder, predictions.assign(cell_area=sizes, source="one"))
    edit(folder, {"indeterminate": {"low": 0.3, "high": 0.7, "missed": 0.05, "alarmed": 0.2}})
    return bundles.read(sign(folder))


@pytest.fixture
def answered(measured, cells, tmp_path):
    criterion = Criterion(0.2, 0.2)
    one = store.state(tmp_path / "data", measured, "tiny", "St. Elsewhere", criterion, "Dr. Ada")
    return answering.answer(one, measured, cells)


def test_sizes_are_compared_class_by_class_and_colours_with_c_nmcs_range(answered):
    shifts, table = answered.result.shifts, store.cells(answered)
    size = shifts["cell_area"]
    for label, there in (("ALL", 30_000), ("Normal", 10_000)):
        assert size.medians[label] == (table.loc[table["label"] == label, "cell_area"].median(), there)
    site, model = table["cell_area"].to_numpy(), np.repeat([10_000, 30_000], 30)
    wins = (site[:, None] > model).mean() + (site[:, None] == model).mean() / 2
    assert size.higher == pytest.approx(wins)
    low, high, *_ = appearance.RANGES["hue"]
    assert shifts["hue"].outside == pytest.approx(1 - table["hue"].between(low, high).mean())
    assert shifts["hue"].model is None and "distance" not in shifts
    chart = plots.measure("cell_area", site.astype(float), model.astype(float), size)
    assert re.search(r"Normal cells: [\d,]+ here, 10,000 there", chart.caption)
    # Every cell is drawn: the shares of each set add up to one.
    assert [sum(line.y) for line in chart.figure.data] == pytest.approx([1, 1])


def test_what_the_band_does_is_counted_by_patient(answered):
    table, own = store.cells(answered), answered.result.abstention
    inside = table["probability"].between(0.3, 0.7, inclusive="left")
    each = inside.groupby([table["label"], table["patient_group"]]).mean()
    assert own.indeterminate == pytest.approx(each.mean())
    missed = (table["probability"] < 0.3)[table["label"] == "ALL"].groupby(table["patient_group"]).mean()
    assert own.missed == pytest.approx(missed.mean())
    said = wording.abstention(answered.result)
    assert f"{own.missed:.1%} of ALL cells" in said
    shares = answered.result.decisions
    assert (shares["missed"].value, shares["alarmed"].value) == (own.missed, own.alarmed)
    of_all = [shares[name].value for name in ("all_like", "all_indeterminate", "missed")]
    assert sum(of_all) == pytest.approx(1)
    for sentence in three_way.sentences(shares):
        assert sentence in said


def test_a_result_of_before_decisions_were_computed_is_read(answered):
    path = answered.folder / store.RESULT
    content = json.loads(path.read_text())
    del content["result"]["decisions"]
    path.write_text(json.dumps(content))
    earlier = store.read(answered.data, answered.folder.name).result
    assert earlier.decisions == {} and "Decisions at" not in wording.abstention(earlier)


def test_the_report_says_what_the_terminal_says_and_escapes_names(answered, measured, tmp_path):
    text = report.render(answered, store.cells(answered), measured)
    for row in wording.rates_table(answered.result, 0.95)["your patients (95%)"]:
        assert row in text and any(row in line for line in report.lines(answered))
    assert wording.headline(answered.result) in text.replace("&#x27;", "'")
    other = store.state(tmp_path / "data", measured, "tiny", "<script>x</script>", Criterion(0.2, 0.2), "A")
    hostile = store.Verification(other.folder, other.stated, answered.result, answered.answered)
    assert "<script>x</script>" not in report.render(hostile, store.cells(answered), measured)
