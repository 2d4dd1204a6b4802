"""Contacts as resources of bulk runs: the sync, the deletion by phone number and the CSV import."""
