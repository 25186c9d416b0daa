"""The store of revisions, and what is refused before it."""
