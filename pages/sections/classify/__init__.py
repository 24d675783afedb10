"""Sections of the page Classify."""
