"""Kinds of storage.k8s.io: classes of volumes, and the drivers that make and attach them."""
