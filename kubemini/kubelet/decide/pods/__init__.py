"""What a kubelet decides about one pod: what to start and kill, when to try again, what to tell the API. Pure."""
