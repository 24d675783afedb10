"""The prepared set: manifest, splits, labels."""
