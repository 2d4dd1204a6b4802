"""The archive of recordings: copy the files of calls from Retell's links to the user's own storage."""
