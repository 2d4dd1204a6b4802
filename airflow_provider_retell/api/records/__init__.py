"""The rules that calls and chats share: their state, their changes, and waits for them."""
