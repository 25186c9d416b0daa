"""What a client of the API decides by itself, before anything goes on the wire. Pure."""
