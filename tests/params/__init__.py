"""Every parameter: what it may be, that it is read, and that it matters."""
