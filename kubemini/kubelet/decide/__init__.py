"""What the kubelet decides: the moves of a pod, the verdicts of probes, and what is reported. Pure."""
