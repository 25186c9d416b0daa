"""Where an HTTP request goes, and what a client gets if a server misbehaves."""
