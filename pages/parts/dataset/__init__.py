"""The sections of the Dataset page: each has ``show(data)``, given the prepared folder."""
