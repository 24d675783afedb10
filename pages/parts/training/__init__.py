"""Parts of the page Training: a new run, the one at work, and those that ended."""
