"""Widgets that two pages share."""
