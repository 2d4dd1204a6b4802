"""Chats: the objects, and the endpoints that read, change, list, end, analyze and delete them."""
