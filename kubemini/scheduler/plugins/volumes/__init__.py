"""The plugins that ask where a pod's volumes are, or could be, one a file. Pure."""
