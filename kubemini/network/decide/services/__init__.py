"""Services: from Services and EndpointSlices to the fate of a packet; what kube-proxy decides. Pure."""
