"""The widget on names, in a browser."""
