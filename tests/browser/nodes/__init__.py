"""Nodes that fail, in a browser."""
