"""Real files through a real browser."""

import base64
import contextlib
import csv
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from leukemia.dataset.synthetic import sample_writer
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.settings import RESEARCH_USE
from tests.support.browser import at_rest, fits_the_screen

DROP = """(zone, files) => {
  const transfer = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  for (const type of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def give(page, paths):
    page.locator("input[type=file]:enabled").set_input_files([str(path) for path in paths])


def summary(page):
    """Counts of the summary line, by their words."""
    line = page.get_by_role("heading", name=re.compile("ALL-like ·")).inner_text()
    return {word: int(n.replace(",", "")) for n, word in re.findall(r"([\d,]+) ([^·]+?)(?= ·|$)", line)}


def answered(page, count):
    """Wait until so many files are answered and the page has come to rest."""
    page.wait_for_function(
        """count => {
            const line = [...document.querySelectorAll("h3")].find(h => h.innerText.includes("ALL-like"));
            const numbers = line ? line.innerText.split("·").slice(0, 3).map(part => parseInt(part)) : [];
            return numbers.reduce((sum, n) => sum + n, 0) === count
                && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === "notRunning"
                && document.querySelector(".cell, .refusal");
        }""",
        arg=count,
    )
    at_rest(page)


def shown(page):
    """Names and probabilities of the cards, in the page's order."""
    cards = page.locator(".cell").evaluate_all(
        "cards => cards.map(c => [c.querySelector('.name').title, c.querySelector('b').innerText])"
    )
    return [(name, float(probability)) for name, probability in cards]


def download(page, folder):
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def claims_to_be_wide(path):
    """Write a small PNG whose header says 60,000 pixels a side."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def cells(drawn_files):
    return sorted(drawn_files.iterdir())


@pytest.fixture(scope="module")
def many(drawn, tmp_path_factory):
    """Three hundred drawn cells in files of their own."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(300):
        name, _, pixels = drawn[number % len(drawn)]
        (folder / f"{number:03d}_{name}.png").write_bytes(sample_writer.encode(pixels, "PNG"))
    return sorted(folder.iterdir())


def test_good_and_bad_files_together_each_get_their_line(visit, cells, tmp_path):
    bad = {
        "letter.bmp": "Not a readable image",
        "empty.bmp": "The file is empty",
        "cut off.bmp": "damaged or incomplete",
        "smear.jpg": "Neither red nor white cells were found",
        "black.png": "blank",
        "wide.png": "too large: the limit is",
    }
    (tmp_path / "letter.bmp").write_text("Dear colleague, " * 100)
    (tmp_path / "empty.bmp").write_bytes(b"")
    (tmp_path / "cut off.bmp").write_bytes(cells[0].read_bytes()[:20_000])
    smear = np.random.default_rng(0).integers(170, 255, (480, 640, 3)).astype(np.uint8)
    Image.fromarray(smear).save(tmp_path / "smear.jpg")
    Image.new("RGB", (450, 450)).save(tmp_path / "black.png")
    claims_to_be_wide(tmp_path / "wide.png")

    page = visit()
    give(page, [*cells[:6], *(tmp_path / name for name in bad)])
    answered(page, 12)
    assert summary(page)["not classified"] == 6
    lines = dict(line.split("\n", 1) for line in page.locator(".refusal").all_inner_texts())
    assert set(lines) == set(bad)
    for name, reason in bad.items():
        assert reason in lines[name]
    answers = shown(page)
    assert {name for name, _ in answers} == {path.name for path in cells[:6]}
    assert [p for _, p in answers] == sorted((p for _, p in answers), reverse=True)


def test_a_dragged_cell_is_answered_as_the_classifier_answers(visit, cells, tiny_bundle):
    page = visit()
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in cells[:2]]
    page.get_by_test_id("stFileUploaderDropzone").evaluate(DROP, files)
    answered(page, 2)
    expected = Classifier.load(tiny_bundle).classify(Source.file(path, path.name) for path in cells[:2])
    assert dict(shown(page)) == {answer.name: round(answer.probability, 3) for answer in expected}


def test_a_resized_frame_is_answered_once_its_scale_is_stated(visit, drawn, tmp_path):
    small = Image.fromarray(drawn[0][2]).resize((256, 256), Image.Resampling.LANCZOS)
    small.save(tmp_path / "small.png")
    page = visit()
    give(page, [tmp_path / "small.png"])
    answered(page, 1)
    expect(page.locator(".refusal")).to_contain_text("the frame is 256 × 256 pixels")
    page.get_by_text("1 image is not classified: its scale is unknown.").wait_for()
    page.get_by_label("Micrometres per pixel").fill("0.0879")
    page.get_by_role("button", name="Use this scale").click()
    page.locator(".cell").wait_for()
    answered(page, 1)
    assert summary(page)["not classified"] == 0
    note = "scale: 0.0879 µm per pixel, as stated, resampled by 1.76"
    expect(page.locator(".cell .note")).to_have_text(note)
    (row,) = download(page, tmp_path)
    assert (row["note"], row["error"]) == (note, "")
    page.get_by_role("button", name="Scale: 0.0879 µm per pixel, as stated").wait_for()


def test_three_hundred_at_once_sorted_paged_and_in_the_csv(visit, many, tmp_path):
    page = visit()
    give(page, many)
    page.get_by_role("button", name="Stop classifying").wait_for()
    answered(page, 300)
    first = shown(page)
    page.get_by_role("button", name="Page 2").click()
    page.wait_for_function("name => document.querySelector('.cell .name').title !== name", arg=first[0][0])
    second = shown(page)
    probabilities = [p for _, p in first + second]
    assert probabilities == sorted(probabilities, reverse=True)
    assert not {name for name, _ in first} & {name for name, _ in second}

    rows = download(page, tmp_path)
    assert {row["file"] for row in rows} == {path.name for path in many}
    assert len(rows) == 300
    assert [row["file"] for row in rows[: len(first)]] == [name for name, _ in first]
    calls = [row["decision"] for row in rows]
    assert {word: calls.count(word) for word in set(calls)} == {
        word: n for word, n in summary(page).items() if word in ("ALL-like", "Normal-like")
    }


def test_stop_keeps_the_answers_and_go_on_finishes(visit, drawn, tmp_path):
    # The largest frames that are read take long, so that on a quick machine, too, there is something to stop.
    frame = np.zeros((4_900, 4_900, 3), np.uint8)
    frame[1_000:1_450, 1_000:1_450] = drawn[0][2]
    large = sample_writer.encode(frame, "PNG")
    for number in range(40):
        (tmp_path / f"{number}.png").write_bytes(large)
    page = visit()
    page.get_by_role("button", name="Scale: automatic").click()
    page.get_by_role("button", name="They are native C-NMC frames").click()
    page.keyboard.press("Escape")
    give(page, sorted(tmp_path.iterdir()))
    page.get_by_text(re.compile(r"^[1-9]\d* of 40 classified")).first.wait_for()
    page.get_by_role("button", name="Stop classifying").click()
    page.get_by_text(re.compile(r"^Stopped: \d+ of 40 classified")).wait_for()
    at_rest(page)
    stopped = summary(page)
    done = stopped["ALL-like"] + stopped["Normal-like"]
    assert 0 < done < 40
    assert len(shown(page)) == done
    page.wait_for_timeout(1_500)
    assert summary(page) == stopped
    page.get_by_role("button", name=f"Resume with {40 - done} left").click()
    answered(page, 40)


def test_two_sessions_at_once_get_the_answers_of_one(visit, cells, tmp_path, tiny_bundle):
    cells = cells[:40]
    one, other = visit(), visit()
    give(one, cells)
    give(other, cells)
    answered(one, len(cells))
    answered(other, len(cells))
    first, second = download(one, tmp_path), download(other, tmp_path)
    for row in (*first, *second):
        assert row.pop("classified_at")
    assert first == second
    expected = Classifier.load(tiny_bundle).classify(Source.file(path, path.name) for path in cells)
    alone = {answer.name: answer.probability for answer in expected}
    assert {row["file"]: float(row["probability"]) for row in first} == pytest.approx(alone, abs=2e-6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [768, 1280])
def test_samples_fit_the_screen_in_both_themes(visit, scheme, width):
    page = visit(width=width, scheme=scheme)
    page.get_by_role("button", name="Try drawn cells").click()
    answered(page, 12)
    expect(page.locator(".cell .drawn")).to_have_count(12)
    page.get_by_test_id("stBottom").get_by_text(RESEARCH_USE).wait_for()
    page.get_by_text(re.compile("^Normal-like below .* not seen in training")).wait_for()
    fits_the_screen(page)
    edges = page.locator(".cell").evaluate_all("cards => cards.map(c => c.getBoundingClientRect().right)")
    assert max(edges) <= width
    colours = (
        "[getComputedStyle(document.querySelector('.stApp')).backgroundColor, "
        "getComputedStyle(document.querySelector('.cell .name')).color]"
    )
    ground, ink = (sum(map(int, re.findall(r"\d+", c)[:3])) for c in page.evaluate(colours))
    assert (ground > ink) is (scheme == "light")


def test_by_keyboard_alone_samples_and_threshold(visit):
    page = visit()
    page.get_by_role("button", name="Try drawn cells").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip().endswith("Try drawn cells"):
            break
    else:
        pytest.fail("The button is not reached by Tab.")
    page.keyboard.press("Enter")
    answered(page, 12)
    # Both handles to their ends: every cell is left open. Then both to the right: every cell is called.
    sliders = page.get_by_role("slider")
    for handle, key in ((sliders.last, "End"), (sliders.first, "Home")):
        handle.focus()
        page.keyboard.press(key)
    page.get_by_role("heading", name="0 ALL-like · 12 indeterminate · 0 Normal-like").wait_for()
    sliders.first.focus()
    page.keyboard.press("End")
    page.get_by_role("heading", name="0 ALL-like · 12 Normal-like").wait_for()
    page.get_by_role("button", name="Back to the model's own").press("Enter")
    page.get_by_text("These are the model's own limits").first.wait_for()


def test_names_are_text_and_a_removed_file_goes(visit, cells, tmp_path):
    name = "$x^2$ :cat: *b* :red[r] <i>é" + "long" * 30 + ".bmp"
    (tmp_path / name).write_bytes(cells[0].read_bytes())
    page = visit(width=768)
    give(page, [tmp_path / name, cells[1]])
    answered(page, 2)
    assert name in dict(shown(page))
    fits_the_screen(page)
    page.get_by_test_id("stFileChipDeleteBtn").first.get_by_role("button").click()
    answered(page, 1)


def drop(page, paths):
    """Drop files until the browser sends them.

    For a moment both fields are there, the one that is about to go and the one in its place. Where the first
    goes before the browser takes notice, nothing is sent: nothing was dropped.
    """
    for _ in range(10):
        with contextlib.suppress(PlaywrightTimeout):
            with page.expect_request("**/upload_file/**", timeout=5_000):
                page.locator("input[type=file]:enabled").first.set_input_files([str(path) for path in paths])
            return
    pytest.fail("The browser sent nothing.")


@pytest.mark.parametrize("milliseconds", [0, 150])
def test_files_dropped_right_after_clear_are_answered(visit, cells, milliseconds):
    page = visit()
    give(page, cells[:2])
    answered(page, 2)
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_timeout(milliseconds)
    drop(page, cells[2:5])
    answered(page, 3)
    assert {name for name, _ in shown(page)} == {path.name for path in cells[2:5]}


def test_a_file_over_twenty_megabytes_is_refused_and_the_rest_answered(visit, cells, tmp_path):
    (tmp_path / "huge.bmp").write_bytes(cells[0].read_bytes() + bytes(21 * 1024**2))
    page = visit()
    give(page, [tmp_path / "huge.bmp", cells[0]])
    answered(page, 1)
    page.get_by_text("File must be 20", exact=False).first.wait_for()
