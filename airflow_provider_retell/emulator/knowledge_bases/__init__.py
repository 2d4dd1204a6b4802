"""Knowledge bases: their endpoints, sources and indexing."""
