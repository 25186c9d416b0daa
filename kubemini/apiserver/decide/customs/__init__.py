"""Kinds that a CustomResourceDefinition brings to life: their names, their versions, their end. Pure."""
