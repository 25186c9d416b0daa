"""Services: what kube-proxy decides, what it leaves in the kernel, what a connection finds there."""
