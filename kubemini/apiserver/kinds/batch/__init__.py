"""Kinds of the group `batch`, a file each."""
