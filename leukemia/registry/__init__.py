"""Model versions: which there are, which answers, who changed that and why."""
