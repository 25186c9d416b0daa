"""Kinds of scheduling.k8s.io and node.k8s.io: what a pod may name, and what that means for it."""
