"""Which nodes have changed, one after another: whoever keeps something of them mends it where they have changed. Pure.

Invariant: a reader hears of every change since it read last, or is told to begin anew.
Models nothing upstream: there each cycle takes a snapshot, which copies what has a newer generation.
"""

from collections.abc import Iterable

ROOM = 20_000  # changes that are kept; a reader that has slept through more begins anew


class Changes:
    """A list without an end, of which the latest part is kept; a reader remembers how far it has read."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.dropped = 0

    @property
    def now(self) -> int:
        """How many there have been."""
        return self.dropped + len(self.names)

    def note(self, name: str) -> None:
        """A node has come, changed or gone."""
        self.names.append(name)
        if len(self.names) >= 2 * ROOM:
            del self.names[:ROOM]
            self.dropped += ROOM

    def since(self, read: int) -> Iterable[str] | None:
        """The nodes that have changed since *read*, each once; None: that is too long ago to say."""
        return dict.fromkeys(self.names[read - self.dropped :]) if read >= self.dropped else None
