"""Kinds of the group `resource.k8s.io`, a file each: devices that are claimed, not counted."""
