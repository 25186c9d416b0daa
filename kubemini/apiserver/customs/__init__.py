"""What an API server does for the CustomResourceDefinitions that it has heard of."""
