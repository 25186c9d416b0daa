"""What Linux does on a machine of ours: its kernel's memory, and the network of its pods."""

from kubemini.host.linux.kernel import Kernel

__all__ = ["Kernel"]
