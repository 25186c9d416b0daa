"""Ingress and Gateway API: the longer parts of `routing`, and the test of all its files."""
