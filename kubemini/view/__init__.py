"""From trace to page: what is on screen, widgets, the Sphinx extension. Nothing below imports this."""
