"""The vocabulary of the Kubernetes API, pure: every other package may speak it, and it imports none of them.

Read in this order: ``objects`` (Kubernetes objects are values) · ``kinds`` (the one table of kinds) · ``labels`` and
``fields`` (selectors) · ``quantity`` (cpu and memory) · ``errors`` (failures are values) · ``patch`` · ``manifests``.
"""
