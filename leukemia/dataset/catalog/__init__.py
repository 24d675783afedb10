"""The cells of a prepared folder as a table that is filtered, sorted and summed up."""
