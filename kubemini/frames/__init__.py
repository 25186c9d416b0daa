"""Frames of protocols that carry messages and streams over one connection: bytes in, messages out. Pure."""


class Broken(Exception):
    """The client does not keep to the protocol: the connection ends."""
