"""The sections of each page, one file a section."""
