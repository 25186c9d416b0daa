"""Our machines, driven by the directives of a conversation, say what they do in etcd's words."""

from collections.abc import Callable, Iterator
from typing import Any

from kubemini.etcd.raft.confchange import AUTO, EXPLICIT, IMPLICIT, ConfChange, configuration
from kubemini.etcd.raft.log import Snapshot
from kubemini.etcd.raft.messages import Config, HardState, Message, Ready
from kubemini.etcd.raft.raft import Raft
from tests.oracles.raft.changes import changes_of
from tests.oracles.raft.describe import (
    APPEND_THREAD,
    APPLY_THREAD,
    LEVELS,
    STATES,
    StorageMessage,
    about,
    describe_entry,
    describe_message,
    describe_ready,
)
from tests.oracles.raft.grammar import Block, Refusal, as_number
from tests.oracles.raft.node import Node
from tests.oracles.raft.words import WORDS

ELECTION, HEARTBEAT = 3, 1  # ticks


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
            [as_number(id, f"add-nodes: {kind}") for id in block.all(kind)] for kind in ("voters", "learners")
        )
        members = configuration(voters, learners)
        snapshot = Snapshot(index, 1 if index else 0, members, block.get("content"))
        if (members.members or index or snapshot.data) and index <= 1:
            raise Refusal("index must be specified as > 1 due to bootstrap")
        for _ in range(block.number()):
            self._add_node(block, snapshot)

    def _add_node(self, block: Block, snapshot: Snapshot) -> None:
        number = len(self.nodes) + 1
        if (reads := block.get("read-only", "safe")) not in ("safe", "lease-based"):
            raise Refusal(f'invalid read-only option "{reads}"')
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
        changes = tuple(changes_of(block))
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
        for number in (as_number(id, "deliver-msgs: drop") for id in block.all("drop")):
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
