"""The kubelet: what it decides, what runs, and both in a whole cluster."""
