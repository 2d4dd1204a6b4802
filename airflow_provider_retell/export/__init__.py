"""Export calls to files: page by page, on any storage, atomically."""
