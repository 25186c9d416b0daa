"""Kinds of one's own: what a CustomResourceDefinition brings to life."""
