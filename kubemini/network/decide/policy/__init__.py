"""NetworkPolicy and ClusterNetworkPolicy: may this connection begin, and which rule said so? Pure."""
