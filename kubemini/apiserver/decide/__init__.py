"""The pure half of the API server: what a request asks for, and what becomes of an object."""
