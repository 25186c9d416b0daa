"""The API server: what it answers, what it stores, what its watchers hear."""
