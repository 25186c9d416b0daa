"""A packet's walk through a cluster: built of network namespaces, filtered by kube-proxy's own text."""
