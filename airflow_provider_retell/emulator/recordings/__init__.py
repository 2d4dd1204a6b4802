"""The files of calls: recordings and logs, at links that may expire."""
