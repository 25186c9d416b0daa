"""What the scheduler has worked out and keeps, to be mended only where a node has changed since. Pure."""
