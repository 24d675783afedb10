"""Drawn cells and sets of them."""
