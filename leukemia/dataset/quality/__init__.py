"""What can be wrong with a prepared set."""
