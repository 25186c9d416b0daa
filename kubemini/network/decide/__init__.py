"""What kube-proxy decides: from Services and EndpointSlices to rules, and how iptables spells them. Pure."""
