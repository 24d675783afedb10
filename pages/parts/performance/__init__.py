"""The sections of the Performance page."""
