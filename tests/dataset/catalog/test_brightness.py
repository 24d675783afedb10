"""Brightness is measured once, of the pixels, and measuring goes on where it was broken off."""

import pandas as pd
import pytest

from leukemia.dataset import manifest
from leukemia.dataset.catalog import brightness, catalog
from leukemia.dataset.catalog.catalog import open_catalog
from leukemia.errors import BusyError
from leukemia.imaging import reader
from leukemia.imaging.cell import BACKGROUND
from leukemia.storage.workspace import Workspace


def test_brightness_is_that_of_the_pixels_and_measured_once(data, cells):
    assert open_catalog(data).page(sort="brightest")[0].brightness is None
    before = catalog.stamp(data)
    assert not brightness.finished(data)
    assert brightness.measure(data, workers=2) == cells["image_id"].nunique()
    assert brightness.finished(data)
    assert catalog.stamp(data) != before
    assert brightness.measure(data, workers=2) == 0
    for record in open_catalog(data).page(sort="brightest", size=1_000)[::25]:
        pixels = reader.decode(reader.read(data / record.path)).astype(float)
        luma = pixels @ [0.299, 0.587, 0.114]
        assert record.brightness == pytest.approx(luma[luma > BACKGROUND + 0.5].mean(), abs=0.3)


def test_measuring_goes_on_where_it_was_broken_off_and_skips_what_cannot_be_read(data, cells, monkeypatch):
    lost = cells["path"].iloc[-1]
    manifest.write(data, cells.assign(path=cells["path"].where(cells["path"] != lost, "gone.webp")))
    monkeypatch.setattr(brightness, "EVERY", 0.0)

    def stop(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brightness.measure(data, workers=2, progress=stop)
    kept = len(pd.concat(map(pd.read_parquet, brightness.files(data))))
    assert kept == brightness.CHUNK
    assert brightness.measure(data, workers=2) == cells["image_id"].nunique() - kept
    assert brightness.finished(data)
    opened = open_catalog(data)
    assert [r.path for r in opened.page(size=1_000) if r.brightness is None] == ["gone.webp"]


def test_two_do_not_measure_at_once(data):
    from filelock import FileLock

    Workspace(data).brightness.mkdir(parents=True)
    with FileLock(Workspace(data).brightness / "lock"), pytest.raises(BusyError):
        brightness.measure(data, workers=1)
