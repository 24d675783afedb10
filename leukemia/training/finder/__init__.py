"""The network that finds cells in a field: labelled fields, patches of them, targets, fit, engine."""
