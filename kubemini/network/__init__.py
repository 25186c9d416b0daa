"""The pod network and Services: what kube-proxy decides, what it leaves in the kernel, what a packet finds there."""
