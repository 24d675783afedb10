"""How a model comes to be: recipes, batches, fitting, figures, runs."""
