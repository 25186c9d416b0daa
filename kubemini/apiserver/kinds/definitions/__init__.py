"""CustomResourceDefinitions: the kind, and what is judged of the schemas in it."""
