"""The rules that kube-proxy writes for a node, as the real tools load and list them: iptables and nftables. Pure."""
