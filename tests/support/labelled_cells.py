"""A laboratory's labelled cells as tests bring them: drawn, in two folders with a folder per patient."""

import functools

import numpy as np

from leukemia.dataset.synthetic import sample_writer


@functools.cache
def drawn(label, number, seed=11):
    """The PNG of a drawn cell, the same each time."""
    rng = np.random.default_rng((seed, number, label == "ALL"))
    return sample_writer.encode(sample_writer.draw_cell(rng, label), "PNG")


def write_folders(folder, patients=6, cells=3):
    """Write ALL/A0/0.png, ... and Normal/N0/0.png, ...; return the folder."""
    for label in ("ALL", "Normal"):
        for patient in range(patients):
            own = folder / label / f"{label[0]}{patient}"
            own.mkdir(parents=True)
            for cell in range(cells):
                (own / f"{cell}.png").write_bytes(drawn(label, patient * cells + cell))
    return folder
