"""Kubernetes' own conformance tests (1.37.2), run against `kubemini serve`: `make conformance`.

``suite/`` is a test main of ours that imports them from the Go module k8s.io/kubernetes; it builds in about four
minutes. ``real.json.gz`` says which pass on the real control plane with hollow nodes.
"""
