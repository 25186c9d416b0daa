"""Kinds of flowcontrol.apiserver.k8s.io: which requests wait for which, and how many are served at once."""
