"""A controller in close-up."""
