"""What etcd-io/raft's own library says to a conversation: main.go, asked from here."""

from collections.abc import Iterable
from dataclasses import replace

from tests.oracles.asked import Asked
from tests.oracles.raft.grammar import Block


class Library(Asked):
    """The library, for as long as the `with` block lasts. Raises build.Missing."""

    def __init__(self) -> None:
        super().__init__("raft")

    def answer(self, blocks: Iterable[Block]) -> tuple[list[Block], str]:
        """*blocks* with what the library says expected of each; why it did not carry on to the end, if it did not."""
        asked = [block for block in blocks if block.head]
        reply = self.ask([{"line": block.line, "input": block.input} for block in asked])
        said = [text.rstrip("\n").split("\n") for text in reply["said"]]
        return [replace(block, expected=lines) for block, lines in zip(asked, said)], reply["ended"]
