"""Contacts: the objects, and the endpoints that list, read, create, update and delete them."""
