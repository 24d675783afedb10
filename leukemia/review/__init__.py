"""What held-out predictions say of a model: curves, patients, subgroups, comparisons. No image needed."""
