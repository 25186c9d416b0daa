"""Answers in the form that a client asks for: JSON, YAML, protobuf, and the objects that stand for others. Pure."""
