"""Kinds of the group `autoscaling`, a file each."""
