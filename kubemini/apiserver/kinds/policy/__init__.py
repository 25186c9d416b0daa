"""Kinds of the group `policy`, a file each."""
