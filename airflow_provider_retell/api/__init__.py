"""Retell's API as values: requests, models, errors, retry decisions and quotas. Nothing here does I/O."""
