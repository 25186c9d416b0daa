"""What a kubelet does about its pods: a worker each, and what they share."""
