"""Keras networks and layers; no data, no training loop."""
