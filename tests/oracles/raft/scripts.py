"""Random conversations: the same seed writes the same one.

Whoever writes one watches our own machines answer it, to know what can be asked: who may be compacted how far, who
exists. What is asked is plain text all the same, and the library knows nothing of ours.
"""

from collections.abc import Callable
from random import Random

from kubemini.etcd.raft.confchange import ConfChangeError
from tests.oracles.raft.cluster import Cluster
from tests.oracles.raft.grammar import Block, directive

LEVELS = ("debug", "debug", "info", "warn", "warn", "error")
TYPES = ("MsgApp", "MsgAppResp", "MsgVote", "MsgVoteResp", "MsgHeartbeat", "MsgHeartbeatResp", "MsgSnap", "MsgPreVote")


class Author:
    """Writes one conversation, directive by directive."""

    def __init__(self, seed: int):
        self.rng = Random(seed)
        self.cluster = Cluster()
        self.blocks: list[Block] = []
        self.say(f"log-level {self.rng.choice(LEVELS)}")
        self.blocks[0].before = [f"# seed {seed}"]

    def say(self, line: str, input: str = "") -> None:
        block = directive(line, input)
        self.blocks.append(block)
        self.cluster.handle(block)

    def write(self) -> list[Block]:
        """The whole conversation."""
        self.begin()
        acts, weights = zip(*ACTS)
        for _ in range(self.rng.randrange(25, 90)):
            self.rng.choices(acts, weights)[0](self)
        self.say("raft-state")
        self.say("stabilize")
        return self.blocks

    # -- who is there ----------------------------------------------------------------------------------------------
    def begin(self) -> None:
        count = self.rng.choice((1, 2, 3, 3, 3, 4, 5))
        learners = [count] if count > 2 and self.rng.random() < 0.3 else []
        voters = ",".join(str(member) for member in range(1, count + 1) if member not in learners)
        options = [f"voters=({voters})", *(f"learners=({member})" for member in learners)]
        options += [f"index={self.rng.randrange(2, 13)}", *self.options()]
        self.say(f"add-nodes {count} {' '.join(options)}")
        if self.rng.random() < 0.8:
            self.say(f"campaign {self.member()}")
            self.say("stabilize")

    def options(self) -> list[str]:
        flags = ("prevote", "checkquorum", "async-storage-writes", "step-down-on-removal")
        chosen = [f"{flag}=true" for flag in flags if self.rng.random() < 0.35]
        chosen += ["disable-conf-change-validation=true"] * (self.rng.random() < 0.1)
        chosen += [f"inflight={self.rng.randrange(1, 4)}"] * (self.rng.random() < 0.4)
        # one byte, so one entry at a time: raft 3.7 does not write the type of an ordinary entry, etcd 3.5 (ours) does
        chosen += ["max-committed-size-per-ready=1"] * (self.rng.random() < 0.15)
        chosen += ["read-only=lease-based"] * ("checkquorum=true" in chosen and self.rng.random() < 0.3)
        return chosen

    def member(self) -> int:
        return self.rng.randrange(len(self.cluster.nodes)) + 1

    def leader(self) -> int:
        """Most often one that leads, if one does."""
        leading = [node.raft.id for node in self.cluster.nodes if node.raft.role == "leader"]
        return self.rng.choice(leading) if leading and self.rng.random() < 0.8 else self.member()

    def some(self) -> str:
        count = self.rng.randrange(1, len(self.cluster.nodes) + 1)
        return " ".join(map(str, self.rng.sample(range(1, len(self.cluster.nodes) + 1), count)))

    # -- what can be said ------------------------------------------------------------------------------------------
    def propose(self) -> None:
        self.say(f"propose {self.leader()} p{self.rng.randrange(1000)}")

    def change(self) -> None:
        """A change of the members, which may name one that is not there, or make no sense."""
        member = self.leader()
        changes = [self.rng.choice("vvlru") + str(self.rng.randrange(1, len(self.cluster.nodes) + 2))]
        if self.rng.random() < 0.3:
            self.say(f"propose-conf-change {member} v1=true", changes[0])
            return
        while self.rng.random() < 0.4:
            changes.append(self.rng.choice("vlr") + str(self.rng.randrange(1, len(self.cluster.nodes) + 2)))
        transition = self.rng.choice(("", "", " transition=implicit", " transition=explicit", " transition=auto"))
        self.say(f"propose-conf-change {member}{transition}", " ".join(changes))

    def leave(self) -> None:
        self.say(f"propose-conf-change {self.leader()}")

    def deliver(self) -> None:
        member = self.member()
        whom = self.rng.choice((str(member), self.some(), f"drop=({member})"))
        kind = f" type={self.rng.choice(TYPES)}" if self.rng.random() < 0.25 else ""
        self.say(f"deliver-msgs {whom}{kind}")

    def stabilize(self) -> None:
        whom = "" if self.rng.random() < 0.5 else f" {self.some()}"
        quiet = f" log-level={self.rng.choice(('none', 'info'))}" if self.rng.random() < 0.1 else ""
        self.say(f"stabilize{whom}{quiet}")

    def compact(self) -> None:
        member = self.member()
        node = self.cluster.nodes[member - 1]
        self.say(f"compact {member} {self.rng.randint(node.start, node.raft.log.applied)}")

    def newcomer(self) -> None:
        if len(self.cluster.nodes) < 6:
            self.say("add-nodes 1")

    def about_two(self) -> None:
        one, other = self.leader(), self.member()
        what = [f"transfer-leadership from={one} to={other}", f"report-unreachable {one} {other}"]
        if one != other and self.cluster.nodes[one - 1].raft.role == "leader":
            what.append(f"send-snapshot {one} {other}")  # from anybody else, followers would go round in circles
        self.say(self.rng.choice(what))

    def about_one(self) -> None:
        what = self.rng.choice(("status", "raft-log", "forget-leader", "campaign", "tick-election", "tick-heartbeat"))
        self.say(f"{what} {self.leader() if what == 'status' else self.member()}")

    def work(self) -> None:
        """A member, or several, handle what is ready; or one of the two threads of their storage does something."""
        self.say(f"{self.rng.choice(('process-ready', 'process-ready', *THREADS))} {self.some()}")

    def patience(self) -> None:
        self.say(f"set-randomized-election-timeout {self.member()} timeout={self.rng.randrange(3, 7)}")

    def level(self) -> None:
        self.say(f"log-level {self.rng.choice((*LEVELS, 'none', 'loud'))}")

    def odd(self) -> None:
        self.say(self.rng.choice(("raft-state", "frobnicate", "_breakpoint")))


THREADS = ("process-append-thread", "process-apply-thread")
ACTS: tuple[tuple[Callable[[Author], None], float], ...] = (
    (Author.propose, 16),
    (Author.deliver, 18),
    (Author.work, 16),
    (Author.stabilize, 10),
    (Author.about_one, 16),
    (Author.change, 5),
    (Author.leave, 1.5),
    (Author.about_two, 6),
    (Author.compact, 3),
    (Author.newcomer, 2),
    (Author.patience, 3),
    (Author.level, 1),
    (Author.odd, 1),
)


def conversation(seed: int) -> list[Block]:
    """The random conversation of *seed*, unanswered. It ends where a change of the members makes no sense at all."""
    author = Author(seed)
    try:
        return author.write()
    except ConfChangeError:
        return author.blocks
