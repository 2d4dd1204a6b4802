"""Chats: endpoints, request bodies, responses, and waits for a chat."""
