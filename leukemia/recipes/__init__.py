"""Recipes in words and numbers: light to import."""
