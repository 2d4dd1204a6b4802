"""Contacts: endpoints, request bodies, models, comparison, and the search by phone number."""
