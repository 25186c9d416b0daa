"""The widgets, in Jupyter and as JavaScript (static/), and the figures that stand still."""
