"""A patient's cells, the model's answers, the readers' verdicts, the signature."""
