"""The two classes, and how a label is compared."""
