"""How a CNI plugin says no: a code, a sentence and details, as the specification wants them printed.

Models containernetworking/cni pkg/types Error
"""

INCOMPATIBLE_VERSION = 1
INVALID_ENVIRONMENT = 4
DECODING_FAILURE = 6
INVALID_NETWORK_CONFIG = 7
INTERNAL = 999  # whatever a plugin itself found wrong


class PluginError(Exception):
    """A call that failed; its answer is ``{"code", "msg"[, "details"]}`` and the program ends with 1."""

    def __init__(self, message: str, code: int = INTERNAL, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details

    def answer(self) -> dict[str, object]:
        """As it is printed."""
        known: dict[str, object] = {"code": self.code, "msg": self.message}
        return known | ({"details": self.details} if self.details else {})


class KernelError(Exception):
    """What the kernel answered, in the words of its errno: ``file exists``, ``no such process``, …"""


class NotThere(Exception):
    """The path of a network namespace leads nowhere."""
