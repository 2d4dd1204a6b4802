"""Calls: the objects, their progress, and the endpoints that place, read, change, list and delete them."""
