import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from leukemia.errors import DatasetError
from leukemia.imaging import validate
from leukemia.imaging.cell import center_crop, crop_cell
from leukemia.settings import PROJECT
from leukemia.training import training_data


def test_crops_are_those_that_an_upload_gets(prepared, cells):
    crops = training_data.load_crops(prepared, cells, 320, workers=2)
    data = (prepared / cells["path"][5]).read_bytes()
    expected = crop_cell(validate.open_cell(data), 256)
    assert np.array_equal(center_crop(crops[5:6], 256)[0], expected)


def test_crops_are_made_once(data, cells):
    calls = []
    for _ in range(2):
        training_data.load_crops(data, cells, 128, workers=2, progress=lambda *a: calls.append(a))
    assert calls[-1] == (len(cells), len(cells), "Cropping cells")
    assert len(calls) == len(cells)


def test_an_image_that_is_gone_or_changed_is_named(prepared, cells):
    gone = cells.assign(path=["nowhere.png", *cells["path"][1:]])
    with pytest.raises(DatasetError, match=r"nowhere.png.*prepare again"):
        training_data.load_crops(prepared, gone, 64, workers=1)
    swapped = cells.assign(path=[cells["path"][1], cells["path"][0], *cells["path"][2:]])
    with pytest.raises(DatasetError, match="not the image that was prepared"):
        training_data.load_crops(prepared, swapped, 64, workers=1)
    assert not list((prepared / "cache").glob("*partial*"))


@pytest.mark.slow
@pytest.mark.process
def test_a_full_disk_is_an_error_and_leaves_nothing(data, tmp_path):
    """As a process of its own: written through a memory map, the system ends it."""
    disk = data / "cache"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]).returncode:
        pytest.skip("a small disk can only be mounted as root")
    try:
        code = (
            "import sys, errno\nfrom pathlib import Path\nfrom leukemia.dataset import training_set\n"
            "from leukemia.training import training_data\ndata = Path(sys.argv[1])\n"
            "try: training_data.load_crops(data, training_set.read(data), 320, workers=2)\n"
            "except OSError as error: sys.exit(0 if error.errno == errno.ENOSPC else 3)\n"
        )
        done = subprocess.run([sys.executable, "-c", code, data], cwd=PROJECT, capture_output=True)
        assert done.returncode == 0
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
