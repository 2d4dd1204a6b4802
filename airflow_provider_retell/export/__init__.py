"""Calls to files: page after page of a listing, whole calls where transcripts are wanted, written atomically."""
