"""Runs and versions as MLflow keeps them: the only place that knows its tables, tags and aliases."""
