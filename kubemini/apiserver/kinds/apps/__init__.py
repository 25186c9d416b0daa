"""Kinds of the group `apps`, a file each."""
