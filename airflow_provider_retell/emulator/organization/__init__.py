"""Organizations: their API keys, limits and settings, and the endpoints that describe them."""
