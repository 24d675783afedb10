"""Recent cases beside the model's own patients: what has changed, and how far readers agree."""
