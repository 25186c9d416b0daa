"""Policies: which connection may begin, and which rule says so."""
