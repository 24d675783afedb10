"""Sections of the page Dataset: each has ``show(data)``, given the prepared folder."""
