"""Kinds of the core group (`v1`), a file each."""
