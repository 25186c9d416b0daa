"""The Event of events.k8s.io: the same objects as core's, under other names."""
