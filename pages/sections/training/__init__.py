"""Sections of the page Training."""
