"""The widget of a controller's loop."""
