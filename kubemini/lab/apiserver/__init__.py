"""Chapter *The API server*: who may, what is changed, what is refused, and how to write beside others."""
