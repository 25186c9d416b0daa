"""What the metrics API answers. Pure."""
