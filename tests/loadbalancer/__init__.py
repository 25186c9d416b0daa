"""Load balancers in front of the API servers."""
