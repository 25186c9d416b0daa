"""Our quorum arithmetic and our membership changes, asked as etcd-io/raft's own tables of questions ask."""

from collections.abc import Callable

from kubemini.etcd.raft import confchange, quorum
from kubemini.etcd.raft.confchange import NOBODY, ConfChangeError, Configuration
from kubemini.etcd.raft.progress import Progress
from tests.oracles.raft.changes import changes_of
from tests.oracles.raft.cluster import Cluster
from tests.oracles.raft.describe import describe_configuration, describe_progress
from tests.oracles.raft.grammar import Block, Refusal


class Tables(Cluster):
    """Also answers what the files of the quorum and of the membership changes ask."""

    def __init__(self) -> None:
        super().__init__()
        self.configuration = NOBODY
        self.progress: dict[int, Progress] = {}
        self.asked = 0  # stands for the last index of the log

    # -- membership --------------------------------------------------------------------------------------------------
    def do_simple(self, block: Block) -> None:
        self._change(lambda: confchange.simple(self.configuration, changes_of(block)))

    def do_enter_joint(self, block: Block) -> None:
        auto_leave = block.flag("autoleave")
        self._change(lambda: confchange.enter_joint(self.configuration, changes_of(block), auto_leave))

    def do_leave_joint(self, block: Block) -> None:
        self._change(lambda: (confchange.leave_joint(self.configuration), frozenset()))

    def _change(self, act: Callable[[], tuple[Configuration, frozenset[int]]]) -> None:
        index, self.asked = max(self.asked, 1), self.asked + 1
        try:
            self.configuration, anew = act()
        except ConfChangeError as error:
            raise Refusal(str(error)) from None
        before = self.progress
        self.progress = {m: Progress(index) if m in anew else before[m] for m in self.configuration.members}
        self.say(describe_configuration(self.configuration))
        for member, progress in self.progress.items():
            progress.active = True
            self.say(f"{member}: {describe_progress(progress, member in self.configuration.learners)}")

    # -- quorums -----------------------------------------------------------------------------------------------------
    def do_committed(self, block: Block) -> None:
        majorities, voters = _majorities(block)
        known = {v: int(text) for v, text in zip(voters, block.all("idx")) if text != "_"}
        match: Callable[[int], int] = lambda voter: known.get(voter, 0)  # noqa: E731
        index = quorum.committed(majorities, match)
        self.say(*_picture(voters, known), "∞" if index == quorum.EVERYTHING else str(index))
        if not voters:
            self.lines = ["<empty majority quorum>∞"]

    def do_vote(self, block: Block) -> None:
        majorities, voters = _majorities(block)
        votes = {v: text == "y" for v, text in zip(voters, block.all("votes")) if text != "_"}
        words = {quorum.WON: "VoteWon", quorum.LOST: "VoteLost", quorum.PENDING: "VotePending"}
        self.say(words[quorum.verdict(majorities, votes)])


def _majorities(block: Block) -> tuple[list[list[int]], list[int]]:
    halves = [[int(v) for v in block.all(half) if v != "zero"] for half in ("cfg", "cfgj")]
    voters = list(dict.fromkeys(halves[0] + halves[1]))
    return (halves if halves[1] or block.get("cfgj") else halves[:1]), voters


def _picture(voters: list[int], known: dict[int, int]) -> list[str]:
    """A bar a voter, as long as the number of voters that are behind it."""
    count = len(voters)
    lines = [" " * (count + 4) + "idx"]
    for voter in sorted(voters):
        index = known.get(voter, 0)
        behind = sum(known.get(other, 0) < index for other in voters)
        bar = "x" * behind + ">" if voter in known else "?"
        lines.append(f"{bar:{count + 1}} {index:5d}    (id={voter})")
    return lines
