"""What a user's tools decide before they send anything. Pure."""
