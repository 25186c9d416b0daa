"""What a conversation asks of the members: ``v1 l2 r3 u4``."""

from kubemini.etcd.raft.confchange import MemberChange
from tests.oracles.raft.describe import LETTERS
from tests.oracles.raft.grammar import Block, Refusal


def changes_of(block: Block) -> list[MemberChange]:
    """The changes that the input of *block* asks for."""
    return [change_of(word) for word in block.input.split()]


def change_of(word: str) -> MemberChange:
    """``v3`` as a change, or etcd's words about why it is none."""
    kind, id = word[:1], word[1:]
    if not id:
        raise Refusal(f"unknown token {word}")
    if kind not in LETTERS:
        raise Refusal(f"unknown input: {word}")
    if not (id.isascii() and id.isdigit()):
        raise Refusal(f'strconv.ParseUint: parsing "{id}": invalid syntax')
    return MemberChange(LETTERS[kind], int(id))
