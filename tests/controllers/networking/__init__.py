"""Controllers of what carries packets."""
