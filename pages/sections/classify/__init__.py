"""The sections of the Cases page."""
