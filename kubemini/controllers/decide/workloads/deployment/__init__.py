"""Deployments: which ReplicaSets there are, how large each is to be, how the rollout is doing. Pure."""
