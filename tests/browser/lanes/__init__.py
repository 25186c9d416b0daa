"""The swim-lane, in a browser."""
