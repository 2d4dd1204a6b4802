"""Phone numbers: their format, and the numbers of the organization."""
