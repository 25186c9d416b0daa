"""Kinds that are questions about users and their rights: authentication.k8s.io, authorization.k8s.io."""
