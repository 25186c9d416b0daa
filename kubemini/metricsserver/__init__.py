"""metrics-server: what pods and nodes use of cpu and memory, as an API behind the API server."""
