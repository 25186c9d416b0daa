"""Kinds of certificates.k8s.io: who asks for a certificate, who trusts which."""
