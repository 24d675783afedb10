"""Files below the data folder: where they lie, and writes that are whole or absent."""
