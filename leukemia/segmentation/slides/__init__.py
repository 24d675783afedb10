"""Whole slides: searched part by part, paused and resumed, in reading order or along the battlement track."""
