"""What the images are: pixels, archives, splits, drawn cells."""
