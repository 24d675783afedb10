import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukemia.dataset import manifest
from leukemia.dataset.quality import near_duplicates
from leukemia.dataset.quality.near_duplicates import ImageHash
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import DatasetError
from leukemia.imaging import reader
from leukemia.imaging.cell import BACKGROUND, measure_cell


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(11)
    return [sample_writer.draw_cell(rng, label) for label in ("ALL", "Normal") * 12]


def hashes(pixels):
    return [near_duplicates.hash_cell(measure_cell(frame)) for frame in pixels]


def path_pairs(pairs):
    return {frozenset(pair[:2]) for pair in pairs}


def brighter(frame):
    """As another stain normalisation would leave it."""
    return np.where(frame > 0, np.clip(frame * 1.12 + 4, 0, 255), 0).astype(np.uint8)


def shifted(frame):
    return np.roll(frame, (7, -5), axis=(0, 1))


def trimmed(frame):
    """As another segmentation would cut it: its outermost pixels are gone."""
    mask = np.asarray(Image.fromarray(frame).convert("L")) > BACKGROUND
    for axis in (0, 1):
        mask &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    return frame * mask[..., None].astype(np.uint8)


def jpeg(frame):
    return reader.decode(sample_writer.encode(frame, "JPEG"))


@pytest.mark.parametrize("change", [brighter, shifted, trimmed, jpeg])
def test_one_cell_seen_twice_is_found_and_no_other_pair_is(frames, change):
    copies = [change(frame) for frame in frames[:6]]
    pairs = near_duplicates.near_pairs(hashes([*frames, *copies]))
    assert path_pairs(pairs) == {frozenset((number, len(frames) + number)) for number in range(6)}
    for _, _, bits, likeness in pairs:
        assert bits <= near_duplicates.MOST_BITS
        assert likeness >= near_duplicates.LEAST_LIKENESS


def test_pairs_are_those_of_a_plain_loop_across_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(near_duplicates, "BLOCK", 7)
    base = rng.integers(0, 2, (10, 256)).astype(bool)
    small = rng.integers(0, 255, (10, 48, 48)).astype(np.uint8)
    made = []
    for number in range(60):
        bits = base[number % 10].copy()
        bits[rng.choice(256, rng.integers(0, 35), replace=False)] ^= True
        noise = rng.integers(0, rng.integers(1, 60), (48, 48))
        made.append(ImageHash(bits, np.clip(small[number % 10] + noise, 0, 255).astype(np.uint8), 0))
    expected = {}
    for a in range(60):
        for b in range(a + 1, 60):
            bits = int((made[a].bits != made[b].bits).sum())
            likeness = np.corrcoef(made[a].grey.ravel(), made[b].grey.ravel())[0, 1]
            if bits <= near_duplicates.MOST_BITS and likeness >= near_duplicates.LEAST_LIKENESS:
                expected[a, b] = (bits, likeness)
    pairs = {(a, b): (bits, likeness) for a, b, bits, likeness in near_duplicates.near_pairs(made)}
    assert 10 < len(expected) < 100
    assert pairs.keys() == expected.keys()
    for pair, (bits, likeness) in expected.items():
        assert pairs[pair] == (bits, pytest.approx(likeness, abs=1e-3))


def test_the_most_alike_come_first_and_nothing_is_no_pair(frames):
    pairs = near_duplicates.near_pairs(hashes([*frames[:4], *map(jpeg, frames[:4])]))
    likeness = [pair[3] for pair in pairs]
    assert likeness == sorted(likeness, reverse=True)
    assert near_duplicates.near_pairs([]) == []
    black = ImageHash(np.zeros(256, bool), np.zeros((48, 48), np.uint8), 0)
    assert near_duplicates.near_pairs([black, black]) == []


def test_a_cell_that_touches_the_frame_is_told_from_specks(frames):
    cut = frames[0][180:, :]
    speck = frames[1].copy()
    speck[0, :3] = 200
    assert near_duplicates.hash_cell(measure_cell(cut)).edge >= near_duplicates.LEAST_EDGE
    assert near_duplicates.hash_cell(measure_cell(frames[1])).edge == 0
    assert near_duplicates.hash_cell(measure_cell(speck)).edge == 3


@pytest.fixture
def data(frames, tmp_path):
    """A folder with a near-identical pair, an identical one, a cut-off cell and a damaged file."""
    named = {f"{number}.png": frame for number, frame in enumerate(frames[:5])}
    named |= {"near.png": brighter(frames[0]), "same.png": frames[1], "cut.png": frames[2][180:, :]}
    rows = []
    for name, frame in named.items():
        (tmp_path / name).write_bytes(sample_writer.encode(frame, "PNG"))
        rows.append((name, measure_cell(frame).image_id))
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    rows.append(("damaged.png", "0" * 64))
    return tmp_path, pd.DataFrame(rows, columns=["path", "image_id"])


def test_a_scan_finds_what_was_planted_and_is_cached(data):
    folder, cells = data
    steps = []
    assert near_duplicates.cached(folder, cells) is None
    scan = near_duplicates.cached_or_scan(folder, cells, workers=2, progress=lambda *step: steps.append(step))
    assert path_pairs(scan.pairs) == {frozenset(("0.png", "near.png"))}
    assert set(scan.edges) == {"cut.png"}
    assert set(scan.unreadable) == {"damaged.png"}
    assert scan.images == len(cells)
    assert steps[len(cells) - 1] == (len(cells), len(cells), "Reading images")
    assert near_duplicates.cached(folder, cells) == scan

    def again(*_):
        raise AssertionError("scanned twice")

    assert near_duplicates.cached_or_scan(folder, cells, workers=2, progress=again) == scan


def test_a_cached_scan_holds_for_these_images_only_and_damage_is_as_good_as_nothing(data):
    folder, cells = data
    near_duplicates.cached_or_scan(folder, cells, workers=2)
    assert near_duplicates.cached(folder, cells.iloc[:-1]) is None
    assert near_duplicates.cached(folder, cells.iloc[::-1]) is not None
    for path in (folder / "cache").iterdir():
        path.write_text('{"images": 3')
    assert near_duplicates.cached(folder, cells) is None


def test_a_set_without_one_readable_image_is_an_error_and_nothing_is_cached(tmp_path):
    cells = pd.DataFrame({"path": ["gone.png"], "image_id": ["0" * 64]})
    with pytest.raises(DatasetError, match="None of the 1 images"):
        near_duplicates.cached_or_scan(tmp_path, cells, workers=1)
    assert near_duplicates.cached(tmp_path, cells) is None


def test_a_correction_does_not_make_the_images_be_scanned_again(prepared):
    cells = manifest.read(prepared)
    assert near_duplicates.key(cells) == near_duplicates.key(cells.assign(label="ALL"))
