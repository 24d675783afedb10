"""A field of a blood smear to its white cells: found, outlined, cut out on black at the model's scale."""
