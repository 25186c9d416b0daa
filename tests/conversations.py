"""Replays etcd-io/raft's conversations: ``python -m tests.conversations FILE…`` prints a diff for each that differs.

A file is a list of blocks: a directive, perhaps lines of input, ``----``, and what is expected to be said. The blocks
drive a cluster of machines (`Cluster`), or ask the quorum arithmetic and the membership changes (`Tables`).
Everything is compared byte for byte. Log lines are etcd's own words: `WORDS` gives them to what our machine notes; an
expected log line of another wording is passed over, since nothing of ours says it.
"""

import difflib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubemini.etcd import confchange, quorum
from kubemini.etcd.confchange import (
    AUTO,
    EXPLICIT,
    IMPLICIT,
    NOBODY,
    Change,
    ConfChange,
    ConfChangeError,
    Configuration,
    configuration,
)
from kubemini.etcd.log import Entry, Snapshot
from kubemini.etcd.messages import Config, HardState, Message, Ready
from kubemini.etcd.progress import Progress
from kubemini.etcd.raft import Raft
from tests.etcd_words import (
    APPEND_THREAD,
    APPLY_THREAD,
    LETTERS,
    LEVELS,
    LOG_LINE,
    SAYABLE,
    STATES,
    WORDS,
    StorageMessage,
    about,
    describe_configuration,
    describe_entry,
    describe_message,
    describe_progress,
    describe_ready,
)

ELECTION, HEARTBEAT = 3, 1  # ticks

# -- the file ---------------------------------------------------------------------------------------------------------


@dataclass
class Block:
    """One directive with its input and what is expected of it; *before* are the lines above it, kept as they are."""

    before: list[str]
    head: list[str]
    input: str
    expected: list[str]
    command: str = ""
    args: list[tuple[str, list[str]]] = field(default_factory=list)

    def ids(self) -> list[int]:
        """The arguments that stand alone, as numbers."""
        return [int(key) for key, values in self.args if not values and key.isdigit()]

    def number(self) -> int:
        """The one number that the directive needs."""
        ids = self.ids()
        if not ids:
            raise Refusal(f"{self.command}: a number is missing")
        return ids[0]

    def value(self, name: str) -> int:
        """The number behind ``name=``."""
        return _number(self.get(name), f"{self.command}: {name}")

    def get(self, name: str, default: str = "") -> str:
        return next((values[0] for key, values in self.args if key == name and values), default)

    def all(self, name: str) -> list[str]:
        return [value for key, values in self.args if key == name for value in values]

    def flag(self, name: str) -> bool:
        return self.get(name) == "true"


class Refusal(Exception):
    """A directive that cannot be carried out; its text is the answer."""


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refusal(f"{what}: expected a number, got {text!r}")
    return int(text)


ARGUMENT = re.compile(r"([^\s=]+)(?:=(\([^)]*\)|\S*))?")


def parse_arguments(text: str) -> list[tuple[str, list[str]]]:
    """``a b=c d=(e,f)`` as [("a", []), ("b", ["c"]), ("d", ["e", "f"])]."""
    found = []
    for key, value in ARGUMENT.findall(text):
        if value.startswith("("):
            found.append((key, [part.strip() for part in value[1:-1].split(",") if part.strip()]))
        else:
            found.append((key, [value] if value else []))
    return found


def parse(text: str) -> Iterator[Block]:
    """The blocks of a file; the last may hold nothing but *before*."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        before, at = _while(lines, at, lambda line: not line.strip() or line.startswith("#"))
        if at == len(lines):
            yield Block(before, [], "", [])
            return
        head, at = _while(lines, at, lambda line: line != "----")
        at += 1
        if at < len(lines) and lines[at] == "----":  # twice: the output may hold empty lines
            expected, at = _while(lines, at + 1, lambda line: line != "----")
            at += 2
        else:
            expected, at = _while(lines, at, bool)
        yield _block(before, head, expected)


def _while(lines: list[str], at: int, wanted: Callable[[str], Any]) -> tuple[list[str], int]:
    end = at
    while end < len(lines) and wanted(lines[end]):
        end += 1
    return lines[at:end], end


def _block(before: list[str], head: list[str], expected: list[str]) -> Block:
    line, count = head[0], 1
    while line.endswith("\\") and count < len(head):
        line, count = line[:-1] + head[count], count + 1
    command, _, rest = line.strip().partition(" ")
    return Block(before, head, "\n".join(head[count:]), expected, command, parse_arguments(rest))


# -- a cluster --------------------------------------------------------------------------------------------------------


@dataclass
class Node:
    """A machine with its disk: what was written, and every state that was applied."""

    raft: Raft
    history: list[Snapshot]
    entries: list[Entry]
    start: int
    timeout: int = 5
    to_append: list[StorageMessage] = field(default_factory=list)
    to_apply: list[StorageMessage] = field(default_factory=list)

    def write(self, entries: Iterable[Entry], snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self.entries, self.start = [], snapshot.index
        for entry in entries:
            if entry.index > self.start:
                del self.entries[entry.index - self.start - 1 :]
                self.entries.append(entry)

    def compact(self, index: int) -> None:
        if index <= self.start:
            raise Refusal("requested index is unavailable due to compaction")
        if index > self.raft.log.applied:
            raise Refusal(f"compact {index} is out of bound: {self.raft.log.applied} is applied")
        self.raft.compact(index)
        del self.entries[: index - self.start]
        self.start = index

    def apply(self, entries: Iterable[Entry]) -> None:
        """An appender: its state is all that was ever proposed."""
        for entry in entries:
            latest = self.history[-1]
            now, data = latest.configuration, latest.data or ""
            if isinstance(entry.data, ConfChange):
                now = self.raft.apply_conf_change(entry.data)
            else:
                data += entry.data or ""
            self.history.append(Snapshot(entry.index, entry.term, now, data))


class Cluster:
    """A cluster that does what the directives say, one handler a directive."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.messages: list[Message] = []
        self.lines: list[str] = []
        self.level = 0

    def handle(self, block: Block) -> list[str]:
        """What the cluster says to *block*."""
        self.lines = []
        handler = getattr(self, "do_" + block.command.lstrip("_").replace("-", "_"), None)
        try:
            if handler is None:
                raise Refusal("unknown command")
            handler(block)
        except Refusal as refusal:
            self.lines.append(str(refusal))  # whatever the level
        return self.lines or ["ok"]

    # -- output --------------------------------------------------------------------------------------------------
    def say(self, *lines: str) -> None:
        if LEVELS[self.level] != "NONE":
            for line in lines:
                self.lines += line.split("\n")

    def observe(self, raft: Raft, what: str, *facts: Any) -> None:
        """The machine notes something: in etcd's words."""
        level, template, values = WORDS[what]
        if LEVELS.index(level) >= self.level:
            self.say(f"{level} {template % values(raft, *facts)}")

    def indented(self, act: Callable[..., None], *args: Any) -> None:
        outer, self.lines = self.lines, []
        try:
            act(*args)
        finally:
            self.lines = outer + ["  " + line for line in self.lines]

    # -- directives ------------------------------------------------------------------------------------------------
    def do_breakpoint(self, block: Block) -> None:
        """For a debugger."""

    def do_log_level(self, block: Block) -> None:
        self._set_level(block.args[0][0] if block.args else "")

    def _set_level(self, text: str) -> None:
        if text.upper() not in LEVELS:
            raise Refusal(f"log levels must be either of [{' '.join(LEVELS)}]")
        self.level = LEVELS.index(text.upper())

    def do_add_nodes(self, block: Block) -> None:
        index = block.value("index") if block.get("index") else 0
        voters, learners = (
            [_number(id, f"add-nodes: {kind}") for id in block.all(kind)] for kind in ("voters", "learners")
        )
        members = configuration(voters, learners)
        snapshot = Snapshot(index, 1 if index else 0, members, block.get("content"))
        if (members.members or index or snapshot.data) and index <= 1:
            raise Refusal("index must be specified as > 1 due to bootstrap")
        for _ in range(block.number()):
            self._add_node(block, snapshot)

    def _add_node(self, block: Block, snapshot: Snapshot) -> None:
        number = len(self.nodes) + 1
        window, batch = block.get("inflight"), block.get("max-committed-size-per-ready")
        config = Config(
            id=number,
            timeout=lambda draw: 5,
            configuration=snapshot.configuration,
            election_tick=ELECTION,
            heartbeat_tick=HEARTBEAT,
            pre_vote=block.flag("prevote"),
            check_quorum=block.flag("checkquorum"),
            lease_reads=block.get("read-only") == "lease-based",
            step_down_on_removal=block.flag("step-down-on-removal"),
            disable_conf_change_validation=block.flag("disable-conf-change-validation"),
            async_storage=block.flag("async-storage-writes"),
            max_inflight=block.value("inflight") if window else None,
            max_committed_size_per_ready=block.value("max-committed-size-per-ready") if batch else None,
            snapshot=snapshot,
            applied=snapshot.index,
            take_snapshot=lambda: self.nodes[number - 1].history[-1],
            observe=self.observe,
        )
        self.nodes.append(Node(Raft(config), [snapshot], [], snapshot.index))

    def do_campaign(self, block: Block) -> None:
        self._node(block).campaign()

    def do_propose(self, block: Block) -> None:
        if len(block.args) != 2 or block.args[1][1]:
            raise Refusal("propose: expected exactly one key with no vals")
        self._propose(block, block.args[1][0])

    def do_propose_conf_change(self, block: Block) -> None:
        changes = tuple(_changes(block))
        transition = block.get("transition", AUTO)
        if transition not in (AUTO, IMPLICIT, EXPLICIT):
            raise Refusal(f"unknown transition {transition}")
        if block.get("v1", "true") not in ("true", "false"):
            raise Refusal(f'strconv.ParseBool: parsing "{block.get("v1")}": invalid syntax')
        simple = block.flag("v1")
        if simple and (len(changes) > 1 or transition != AUTO):
            raise Refusal("v1 conf change can only have one operation and no transition")
        self._propose(block, ConfChange(changes, transition, simple))

    def _propose(self, block: Block, data: Any) -> None:
        if not self._node(block).propose(data):
            raise Refusal("raft proposal dropped")

    def _node(self, block: Block) -> Raft:
        return self._at(block.number()).raft

    def _at(self, number: int) -> Node:
        if not 0 < number <= len(self.nodes):
            raise Refusal(f"there is no node {number}; there are {len(self.nodes)}")
        return self.nodes[number - 1]

    def do_tick_election(self, block: Block) -> None:
        for _ in range(ELECTION):
            self._node(block).tick()

    def do_tick_heartbeat(self, block: Block) -> None:
        for _ in range(HEARTBEAT):
            self._node(block).tick()

    def do_set_randomized_election_timeout(self, block: Block) -> None:
        self._node(block).timeout = block.value("timeout")

    def do_transfer_leadership(self, block: Block) -> None:
        source, target = self._at(block.value("from")), self._at(block.value("to"))
        source.raft.transfer_leader(target.raft.id)

    def do_forget_leader(self, block: Block) -> None:
        self._node(block).forget_leader()

    def do_report_unreachable(self, block: Block) -> None:
        if len(block.ids()) != 2:
            raise Refusal("must specify exactly two node indexes: node on which to report, and reported node")
        reporter, reported = map(self._at, block.ids())
        reporter.raft.report_unreachable(reported.raft.id)

    def _two(self, block: Block) -> list[int]:
        if len(block.ids()) != 2:
            raise Refusal(f"{block.command}: expected two numbers")
        return block.ids()

    def do_compact(self, block: Block) -> None:
        number, index = self._two(block)
        self._at(number).compact(index)
        self.do_raft_log(block)

    def do_send_snapshot(self, block: Block) -> None:
        source, target = self._two(block)
        node = self._at(source)
        message = Message("MsgSnap", source, target, node.raft.term, snapshot=node.history[-1])
        self.messages.append(message)
        self.say(describe_message(message))

    # -- looking -----------------------------------------------------------------------------------------------------
    def do_raft_log(self, block: Block) -> None:
        node = self._at(block.number())
        if node.entries:
            self.say(*map(describe_entry, node.entries))
        else:
            self.say(f"log is empty: first index={node.start + 1}, last index={node.start}")

    def do_raft_state(self, block: Block) -> None:
        for raft in (node.raft for node in self.nodes):
            voter = "Voter" if raft.id in raft.configuration.all_voters else "Non-Voter"
            self.say(f"{raft.id}: {STATES[raft.role]} ({voter}) Term:{raft.term} Lead:{raft.lead}")

    def do_status(self, block: Block) -> None:
        raft = self._node(block)
        self.say(*(f"{peer}: {about(raft, peer)}" for peer in raft.progress))

    # -- doing -------------------------------------------------------------------------------------------------------
    def do_process_ready(self, block: Block) -> None:
        self._each(block, "handling Ready", self._process_ready)

    def do_process_append_thread(self, block: Block) -> None:
        self._each(block, "processing append thread", self._append_thread)

    def do_process_apply_thread(self, block: Block) -> None:
        self._each(block, "processing apply thread", self._apply_thread)

    def _each(self, block: Block, title: str, act: Callable[[Node], Any]) -> None:
        """Every node that is named acts; if there are several, it is said which."""
        nodes = [self._at(number) for number in block.ids()]
        for node in nodes:
            if len(nodes) > 1:
                self.say(f"> {node.raft.id} {title}")
                self.indented(act, node)
            else:
                act(node)

    def _process_ready(self, node: Node) -> None:
        ready = node.raft.ready()
        if node.raft.config.async_storage:
            work: list[Message] = list(self._storage_work(node, ready))
            self.say(*describe_ready(ready, ready.messages + work))
            self.messages += ready.messages
            return
        self.say(*describe_ready(ready, ready.messages))
        node.write(ready.entries, ready.snapshot)
        node.apply(ready.committed)
        self.messages += ready.messages
        node.raft.advance(ready)

    def _storage_work(self, node: Node, ready: Ready) -> Iterator[StorageMessage]:
        """What a node with asynchronous storage tells its two threads."""
        me, state = node.raft.id, ready.hard_state or HardState()
        if ready.entries or ready.hard_state or ready.snapshot or ready.promises:
            if ready.written:
                ready.written.source = APPEND_THREAD
            responses = [*ready.promises, *([ready.written] if ready.written else [])]
            work = StorageMessage(
                "MsgStorageAppend",
                me,
                APPEND_THREAD,
                state.term,
                commit=state.commit,
                entries=ready.entries,
                snapshot=ready.snapshot,
                responses=responses,
                vote=state.vote,
            )
            node.to_append.append(work)
            yield work
        if ready.applied:
            ready.applied.source = APPLY_THREAD
            work = StorageMessage(
                "MsgStorageApply", me, APPLY_THREAD, 0, entries=ready.committed, responses=[ready.applied]
            )
            node.to_apply.append(work)
            yield work

    def _append_thread(self, node: Node) -> None:
        if not node.to_append:
            self.say("no append work to perform")
            return
        work = node.to_append.pop(0)
        self.say("Processing:", describe_message(work, responses=False))
        node.write(work.entries, work.snapshot)
        self._respond(work)

    def _apply_thread(self, node: Node) -> None:
        if not node.to_apply:
            self.say("no apply work to perform")
            return
        work = node.to_apply.pop(0)
        self.say("Processing:", describe_message(work, responses=False))
        node.apply(work.entries)
        self._respond(work)

    def _respond(self, work: StorageMessage) -> None:
        self.say("Responses:", *map(describe_message, work.responses))
        self.messages += work.responses

    def do_deliver_msgs(self, block: Block) -> None:
        kind = block.get("type")
        targets = [(number, False) for number in block.ids()]
        for number in (_number(id, "deliver-msgs: drop") for id in block.all("drop")):
            if (number, False) in targets:
                raise Refusal(f"can't both deliver and drop msgs to {number}")
            targets.append((number, True))
        if not sum(self._deliver(target, kind, drop) for target, drop in targets):
            self.say("no messages")

    def _deliver(self, target: int, kind: str = "", drop: bool = False) -> int:
        chosen = [m for m in self.messages if _is_for(m, target, kind, drop)]
        self.messages = [m for m in self.messages if not _is_for(m, target, kind, drop)]
        for message in chosen:
            self.say(("dropped: " if drop else "") + describe_message(message))
            if not drop:
                refusal = self._at(target).raft.step(message)
                if refusal:
                    self.say(refusal)
        return len(chosen)

    def do_stabilize(self, block: Block) -> None:
        nodes = [self._at(number) for number in block.ids()] or self.nodes
        level = self.level
        if block.get("log-level"):
            self._set_level(block.get("log-level"))
        try:
            while self._round(nodes):
                pass
        finally:
            self.level = level

    def _round(self, nodes: list[Node]) -> bool:
        """One round of everything that can happen; whether anything did."""
        acts: list[tuple[str, Callable[[Node], Any], Callable[[Node], Any]]] = [
            ("handling Ready", lambda node: node.raft.has_ready(), self._process_ready),
            ("receiving messages", self._has_mail, lambda node: self._deliver(node.raft.id)),
            ("processing append thread", lambda node: node.to_append, self._drain_append),
            ("processing apply thread", lambda node: node.to_apply, self._drain_apply),
        ]
        moved = False
        for title, wanted, act in acts:
            for node in nodes:
                if wanted(node):
                    moved = True
                    self.say(f"> {node.raft.id} {title}")
                    self.indented(act, node)
        return moved

    def _has_mail(self, node: Node) -> bool:
        return any(m.target == node.raft.id for m in self.messages)

    def _drain_append(self, node: Node) -> None:
        while node.to_append:
            self._append_thread(node)

    def _drain_apply(self, node: Node) -> None:
        while node.to_apply:
            self._apply_thread(node)


def _is_for(m: Message, target: int, kind: str, drop: bool) -> bool:
    local = m.source == m.target or m.source < 0
    return m.target == target and not (drop and local) and kind in ("", m.type)


# -- tables of the two pure packages ----------------------------------------------------------------------------------


class Tables(Cluster):
    """Also answers what the files of the quorum and of the membership changes ask."""

    def __init__(self) -> None:
        super().__init__()
        self.configuration = NOBODY
        self.progress: dict[int, Progress] = {}
        self.asked = 0  # stands for the last index of the log

    # -- membership --------------------------------------------------------------------------------------------------
    def do_simple(self, block: Block) -> None:
        self._change(lambda: confchange.simple(self.configuration, _changes(block)))

    def do_enter_joint(self, block: Block) -> None:
        auto_leave = block.flag("autoleave")
        self._change(lambda: confchange.enter_joint(self.configuration, _changes(block), auto_leave))

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


def _changes(block: Block) -> list[Change]:
    return [_change(word) for word in block.input.split()]


def _change(word: str) -> Change:
    """``v3`` as a change, or etcd's words about why it is none."""
    kind, id = word[:1], word[1:]
    if not id:
        raise Refusal(f"unknown token {word}")
    if kind not in LETTERS:
        raise Refusal(f"unknown input: {word}")
    if not (id.isascii() and id.isdigit()):
        raise Refusal(f'strconv.ParseUint: parsing "{id}": invalid syntax')
    return Change(LETTERS[kind], int(id))


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


# -- comparing --------------------------------------------------------------------------------------------------------


def replay(text: str) -> tuple[list[str], list[str]]:
    """The lines that *text* expects and those that are said, with what stands between them."""
    cluster = Tables()
    expected, said = [], []
    for block in parse(text):
        if block.head:
            frame = [*block.before, *block.head, "----"]
            expected += [*frame, *_comparable(block.expected)]
            said += [*frame, *_comparable(cluster.handle(block))]
    return expected, said


def _comparable(lines: list[str]) -> list[str]:
    kept = [line for line in lines if not LOG_LINE.match(line) or SAYABLE.match(line)]
    return [re.sub(r"(?<=\S)  +", " ", line) if "ignoring conf change" in line else line for line in kept] or ["ok"]


def difference(path: Path) -> list[str]:
    """A diff of what *path* expects and what is said; empty if there is none."""
    expected, said = replay(path.read_text(encoding="utf-8"))
    return list(difflib.unified_diff(expected, said, f"{path} (expected)", f"{path} (said)", lineterm=""))


def main(paths: list[str]) -> int:
    """Replay each file; 1 if any differs."""
    differing = 0
    for path in paths:
        lines = difference(Path(path))
        differing += bool(lines)
        for line in lines:
            print(line)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
