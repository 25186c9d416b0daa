"""What an API server does in the cluster for itself and the other API servers."""
