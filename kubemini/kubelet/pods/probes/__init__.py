"""The probes of a kubelet: when each asks, whom, and what it leaves in a log."""
