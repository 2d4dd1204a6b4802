"""Knowledge bases."""
