"""The chapter on nodes that fail."""
