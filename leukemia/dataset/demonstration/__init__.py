"""Real cells that come with the program, to show what it does."""
