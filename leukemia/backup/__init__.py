"""The data folder and the records as one copy that is whole or absent, and the way back."""
