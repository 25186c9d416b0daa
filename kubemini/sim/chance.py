"""Counter-based randomness: the n-th draw of a stream is a pure function of (seed, name, n).

So a draw that one run skips never shifts another, and a quiet interval may be jumped over. Blocks of 64
draws come from SHAKE-128, which gives the same bits on every machine and in the browser (``hash()`` does not).
Method: D. E. Shaw's Random123 paper (Salmon et al., SC'11), with SHAKE in place of Philox.
"""

import hashlib
import struct

_unpack = struct.Struct("<64Q").unpack
_block_number = struct.Struct("<q").pack


class Draws:
    """Random access to an endless list of 64-bit integers."""

    __slots__ = ("_block", "_key", "_values")

    def __init__(self, seed: int, name: str):
        self._key = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
        self._block = -1
        self._values: tuple[int, ...] = ()

    def u(self, n: int) -> int:
        """The *n*-th draw, uniform in [0, 2**64)."""
        block = n >> 6
        if block != self._block:
            self._block = block
            self._values = _unpack(hashlib.shake_128(self._key + _block_number(block)).digest(512))
        return self._values[n & 63]

    def between(self, n: int, low: int, high: int) -> int:
        """The *n*-th draw as an integer in [low, high], both ends included."""
        return low + self.u(n) % (high - low + 1)

    def happens(self, n: int, p: float) -> bool:
        """Whether the *n*-th draw falls into a share *p* of all draws."""
        return self.u(n) < int(p * 18_446_744_073_709_551_616)
