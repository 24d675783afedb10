"""Charts with their captions, made once for page, report and any other door."""
