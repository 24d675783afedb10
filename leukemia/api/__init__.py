"""The REST service: the package's answers, cases and reports for other programs."""
