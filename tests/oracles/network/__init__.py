"""Networking: what real kube-proxies, DNS servers, CNI plugins and proxies did, and the same answered by ours."""
