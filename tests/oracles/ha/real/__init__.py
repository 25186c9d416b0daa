"""The real cluster: put up in network namespaces, struck, and written down in the form of a record."""
