"""Calls and chats as the resource of a bulk update."""
