"""Kinds of admissionregistration.k8s.io: who else is asked, or which rules are asked, before something is stored."""
