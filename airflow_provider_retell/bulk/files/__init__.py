"""Read the formats of files with rows."""
