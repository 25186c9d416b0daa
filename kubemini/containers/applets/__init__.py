"""The small programs of a busybox."""
