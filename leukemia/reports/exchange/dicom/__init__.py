"""A case as DICOM: its pictures, a Structured Report of what was said of them, and their way to a node."""
