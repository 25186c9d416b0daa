"""The book: its Sphinx extension, the press, and the normal form of its notebooks."""
