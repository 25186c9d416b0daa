"""From trace to page: what is on screen, figures, widgets, the Sphinx extension. Nothing below imports this."""
