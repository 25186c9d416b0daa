"""Volumes and claims to them (`v1`), a file each."""
