"""The page's states, without a browser."""

import csv
import io
import json
import logging
import re

import pytest
from streamlit.testing.v1 import AppTest

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import RECORD
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.imaging import validate
from leukemia.imaging.scale import NATIVE, PIXEL_SIZE
from leukemia.inference import decisions
from leukemia.inference.classifier import Classifier
from leukemia.inference.learned import NOT_HERE
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.settings import MAX_FILES, RESEARCH_USE, SHIPPED
from pages.components import model_in_service
from tests.support.app import PATIENCE, press, said
from tests.support.bundle_factory import edit, sign, write_predictions

UNLIKE = "Unlike the cells the model was trained on"


def shares(app):
    """By call, the panel's shares of ALL cells and of normal ones, in per cent."""
    (text,) = [one.value for one in app.sidebar.markdown if one.value.startswith("**Of ALL cells**")]
    found = {}
    for share, word in re.findall(r"([\d.]+)% \(.*?\) (\S+)", text):
        found.setdefault(word, []).append(float(share))
    return {word: tuple(both) for word, both in found.items()}


def read_cell_ids(files):
    """image_id of each file."""
    return [validate.open_cell(data, NATIVE, PIXEL_SIZE).image_id for _, data in files]


def drop(app, files):
    return app.file_uploader[0].set_value([(name, data, "image/bmp") for name, data in files]).run()


def summary(app):
    """Counts of the summary line: ALL-like, Normal-like, not classified."""
    return [
        int(n) for n in re.findall(r"(\d+) (?:ALL-like|Normal-like|not classified)", app.subheader[0].value)
    ]


def probabilities(app):
    """Probabilities on the cards, in their order on the page."""
    page = "".join(element.proto.body for element in app.get("html"))
    return [float(value) for value in re.findall(r"<b>([01]\.\d{3})</b>", page)]


@pytest.fixture(scope="module")
def files(drawn_files):
    return [(path.name, path.read_bytes()) for path in sorted(drawn_files.iterdir())[:20]]


def test_without_a_model_the_page_says_so(app, tmp_path):
    page = app(tmp_path / "nothing")
    assert not page.exception
    assert len(page.error) == 1
    assert "No model bundle" in page.error[0].value
    assert not page.file_uploader


def test_an_altered_model_is_refused(app, copied_bundle):
    (copied_bundle / "engine.bin").write_bytes(b"something else")
    page = app(copied_bundle)
    assert "not the file that was written" in page.error[0].value
    assert not page.exception


def test_an_unexpected_error_is_one_plain_sentence_and_a_log_line(app, copied_bundle, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Classifier, "load", fail)
    with caplog.at_level(logging.ERROR):
        page = app(copied_bundle)  # one that no other test has loaded
    assert not page.exception
    assert "Something went wrong" in page.error[0].value
    assert "secret" not in said(page)
    assert "secret detail" in caplog.text


def test_the_empty_page_shows_the_model_and_the_notice(app, tiny_bundle):
    page = app()
    record = json.loads((tiny_bundle / RECORD).read_text())
    text = said(page)
    assert RESEARCH_USE in text
    assert "tiny\\-test" in said(page, escaped=True)
    for name in ("sensitivity", "specificity"):
        value, low, high = (100 * record["figures"][name][end] for end in ("value", "low", "high"))
        # A model that always answers calls as many cells right as these say.
        assert f"{value:.1f}% ({low:.1f} to {high:.1f}) " in text
    assert "60 cells of 12 patient groups (6 with ALL, 6 healthy) not seen in training" in text
    assert "trained on synthetic cells only" in text
    assert not page.subheader
    assert "Model card" in [expander.label for expander in page.expander]


def test_another_threshold_and_other_figures_of_the_same_network_are_taken(app, copied_bundle):
    page = app(copied_bundle)
    before = shares(page)["ALL-like"][0]
    edit(copied_bundle, {"threshold.value": 0.9375})
    page.run()
    assert page.select_slider[0].value == (0.9375, 0.9375)
    assert shares(page)["ALL-like"][0] < before


def test_a_leaky_model_is_called_so(app, copied_bundle):
    text = said(app(edit(copied_bundle, {"split.by": "image"})))
    assert "tested on patients it was also trained on" in text
    assert "60 cells of 12 patient groups (6 with ALL, 6 healthy) **also seen in training**" in text


def test_drawings_are_answered_and_called_synthetic(app):
    page = press(app(), "Try drawn cells")
    assert not page.exception
    assert sum(summary(page)) == len(probabilities(page)) == 12
    assert said(page).count('class="drawn"') == 12
    assert "only show how this page works" in said(page)
    assert demonstration.CREDIT not in said(page)


def test_the_sample_cells_are_the_sixteen_real_ones_with_their_credit(app):
    page = press(app(), "Try sample cells")
    assert not page.exception
    assert sum(summary(page)) == 16
    text = said(page)
    assert all(f"final-{number}.png" in text for number in (1, 912, 2584))
    assert "scale is unknown" not in text
    assert demonstration.CREDIT in text
    assert 'class="drawn"' not in text


def test_the_shipped_model_answers_most_real_cells_and_refuses_more_of_the_drawn_ones(app):
    page = press(app(SHIPPED), "Try sample cells")
    real, refused = len(probabilities(page)), said(page).count(UNLIKE)
    assert real > 8
    press(page, "Clear")
    press(page, "Try drawn cells")
    drawn, refused_drawn = len(probabilities(page)), said(page).count(UNLIKE)
    assert refused_drawn / (drawn + refused_drawn) > 2 * refused / (real + refused)


def test_answers_come_sorted_and_what_cannot_be_read_by_itself(app, files):
    page = drop(app(), [*files, ("letter.bmp", b"Dear all"), ("empty.png", b"")])
    assert summary(page)[2] == 2
    shown = probabilities(page)
    assert len(shown) == len(files)
    assert shown == sorted(shown, reverse=True)
    text = said(page)
    assert "Not classified (2)" in text
    assert "The file is empty." in text
    assert "Not a readable image" in text
    assert "only show how this page works" not in text


def test_the_slider_redraws_decisions_and_figures_and_answers_nothing_again(app, files, monkeypatch):
    page = drop(app(), files)
    before, figures = summary(page), shares(page)

    def refuse(*_, **__):
        raise AssertionError("classified again")

    monkeypatch.setattr(Classifier, "classify", refuse)
    page.select_slider[0].set_range(1.0, 1.0).run()
    assert before[0] > 0
    assert summary(page) == [0, len(files), 0]
    assert shares(page) == {"ALL-like": (0.0, 0.0), "Normal-like": (100.0, 100.0)}
    assert "You set these limits." in said(page)
    page.select_slider[0].set_range(0.0, 1.0).run()
    assert shares(page)["Indeterminate"] == (100.0, 100.0)
    assert said(page).count("◆ Indeterminate") == len(files)
    press(page, "Back to the model's own")
    assert summary(page) == before
    assert shares(page) == figures


@pytest.mark.parametrize("view", [ALL_LIKE, NORMAL_LIKE])
def test_the_filter_shows_one_decision(app, files, view):
    page = drop(app(), files)
    counts = summary(page)
    page.button_group[0].set_value(view).run()
    other = {ALL_LIKE: NORMAL_LIKE, NORMAL_LIKE: ALL_LIKE}[view]
    assert len(probabilities(page)) == counts[0 if view == ALL_LIKE else 1]
    assert f"● {other}" not in said(page)
    assert f"▲ {other}" not in said(page)


def test_the_csv_holds_every_answer_at_the_sliders_limits(app, files, monkeypatch):
    written = []
    to_csv = decisions.to_csv
    monkeypatch.setattr(decisions, "to_csv", lambda *given: written.append(to_csv(*given)) or written[-1])
    page = drop(app(), [*files, ("empty.png", b"")])
    page.select_slider[0].set_range(0.0, 0.0).run()
    assert page.get("download_button")[0].label == "Download CSV"
    rows = list(csv.DictReader(io.StringIO(written[-1])))
    assert len(rows) == len(files) + 1
    assert {row["decision"] for row in rows[:-1]} == {"ALL-like"}
    assert {(row["normal_like_below"], row["all_like_from"]) for row in rows} == {("0.0", "0.0")}
    assert (rows[-1]["file"], rows[-1]["error"]) == ("empty.png", "The file is empty.")


def test_a_file_taken_away_vanishes_and_clear_takes_all(app, files):
    page = drop(app(), files)
    drop(page, files[:3])
    assert sum(summary(page)) == 3
    press(page, "Clear")
    assert not page.subheader
    assert not page.exception


def test_a_mac_s_halves_of_files_are_no_cells_and_names_are_shown_as_text(app, files):
    (_, data), *_ = files
    page = drop(app(), [("._cell.bmp", b"\0\5\x16\7"), ("cell\x1b[2J\u202e.bmp", data)])
    (result,) = page.session_state.batch.results
    assert result.answer.name == r"cell\x1b[2J\u202e.bmp"


def test_more_files_than_the_limit_are_told(app):
    page = drop(app(), [(f"{n}.bmp", b"") for n in range(MAX_FILES + 7)])
    assert "the last 7 are left out" in said(page)
    assert summary(page) == [0, 0, MAX_FILES]


def test_names_are_shown_as_they_are(app, files):
    name = "<img src=x onerror=alert(1)> *b* $x$ :cat: \udcff.bmp".encode("utf-8", "replace").decode()
    text = said(drop(app(), [(name, files[0][1]), ("<script>.bmp", b"")]))
    assert "<img src=x" not in text
    assert "<script>" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; *b* $x$ :cat:" in text


def test_a_replaced_model_takes_its_predecessors_answers_away(app, files, copied_bundle, monkeypatch):
    page = drop(app(copied_bundle), files[:2])
    assert sum(summary(page)) == 2
    (copied_bundle / "model.keras").write_bytes(b"another network")
    sign(copied_bundle, "model.keras")
    page.run()
    assert "The model was replaced" in said(page)
    assert not page.subheader


def test_the_model_is_loaded_once_for_all_sessions(app, monkeypatch):
    loads = []
    load = Classifier.load.__func__
    monkeypatch.setattr(
        Classifier, "load", classmethod(lambda cls, path: loads.append(path) or load(cls, path))
    )
    # Another test may have had it loaded.
    model_in_service._load.clear()
    page = app()
    page.run()
    AppTest.from_file(page._script_path, default_timeout=PATIENCE).run()
    assert len(loads) == 1


def test_a_page_that_the_slider_took_away_gives_way_to_the_last_one(app, files):
    page = drop(app(), [(f"{n}.bmp", files[n % 2][1]) for n in range(140)])
    assert summary(page) == [70, 70, 0]
    page.button_group[0].set_value(ALL_LIKE).run()
    page.select_slider[0].set_range(0.0, 0.0).run()
    page.get("pagination")[0].set_value(3).run()
    assert len(probabilities(page)) == 20
    press(page, "Back to the model's own")
    assert not page.exception
    assert not [error for error in page.error if "went wrong" in error.value]
    assert len(probabilities(page)) == 10


def test_a_model_that_may_stay_silent_says_indeterminate(app, files, copied_bundle):
    band = {"low": 0.0, "high": 1.0, "missed": 0.05, "alarmed": 0.1}
    edit(copied_bundle, {"indeterminate": band})
    page = drop(app(copied_bundle), files)
    text = said(page)
    assert f"{len(files)} indeterminate" in page.subheader[0].value
    assert text.count("◆ Indeterminate") == text.count("Review this cell yourself.</p>") == len(files)
    assert "0.00–1.00: the model abstains" in text
    page.button_group[0].set_value(ALL_LIKE).run()
    assert not probabilities(page)


def test_cells_that_the_model_learned_from_are_said_to_be_and_new_ones_are_not(app, files, copied_bundle):
    # Of a single split, the cells are known where the set is at hand.
    text = said(drop(app(copied_bundle), files))
    assert "The model learned from" not in text
    assert NOT_HERE.format(them="these cells are") in text
    # A cross-validated recipe learned from all cells that its predictions name, in the end.
    predictions = bundles.read(copied_bundle).predictions
    three = predictions["image_id"].isin(read_cell_ids(files)[:3])
    others = [f"{number:064x}" for number in range(len(predictions))]
    known = predictions.assign(image_id=predictions["image_id"].where(three, others), fold=0)
    edit(write_predictions(copied_bundle, known), {"split.folds": 3})
    text = said(drop(app(copied_bundle), files))
    assert NOT_HERE.partition(":")[0] not in text
    assert f"The model learned from 3 of these {len(files)} images." in text
    all_like = int((predictions.loc[three, "probability"] >= 0.5).sum())
    assert f"had not seen their patients: {all_like} ALL-like · {3 - all_like} Normal-like." in text
    assert text.count("The model learned from this cell. Held out:") == 3
