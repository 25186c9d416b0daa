"""Faults of Raft, one line each, and which of our tests notice them: ``python -m tests.mutants [NAME…]`` says so.

A test that cannot fail is a defect; so is a rule that no test would miss. Each mutant changes one snippet of one module
while it is imported; then the sentences, the recorded conversations with etcd-io/raft's library and the seeded
schedules are tried in turn.
``--all`` tries all three on each and writes the table of the book; without it the first that notices is enough.
``--nemesis NAME [COUNT [FIRST SEED]]`` looks for the fault in a whole etcd, and makes a scenario file of it.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "oracles" / "raft" / "mutants.json"
NOTICED, MISSED = "noticed", "missed"
WAYS = ("sentences", "conversations", "schedules")
SCHEDULES = 1500


@dataclass(frozen=True)
class Mutant:
    """In *module* of kubemini, *new* stands where *old* stood; *fault* is what that means."""

    name: str
    fault: str
    module: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        return (ROOT / "kubemini").joinpath(*self.module.split(".")).with_suffix(".py")

    def source(self) -> str:
        """The module with the fault in it."""
        source = self.path.read_text(encoding="utf-8")
        assert source.count(self.old) == 1, (
            f"{self.name}: {self.path.name} has {self.old!r} {source.count(self.old)} times"
        )
        return source.replace(self.old, self.new)


MUTANTS = (
    # voting
    Mutant(
        "vote-twice",
        "votes for two candidates in a term",
        "etcd.raft.election",
        "raft.vote == m.source or (",
        "True or (",
    ),
    Mutant(
        "vote-for-any-log",
        "votes without comparing logs",
        "etcd.raft.election",
        "granted = free and raft.log.up_to_date(m.index, m.log_term)",
        "granted = free",
    ),
    Mutant(
        "longer-is-newer",
        "takes the longer log for the newer one",
        "etcd.raft.log",
        "return term > self.last_term or (term == self.last_term and index >= self.last_index)",
        "return index >= self.last_index",
    ),
    Mutant(
        "newer-must-be-longer",
        "a newer last term is not enough for a vote",
        "etcd.raft.log",
        "return term > self.last_term or (term == self.last_term and index >= self.last_index)",
        "return term >= self.last_term and index >= self.last_index",
    ),
    Mutant(
        "vote-not-kept",
        "answers with a vote that was never saved",
        "etcd.raft.election",
        "raft.elapsed, raft.vote = 0, m.source",
        "raft.elapsed = 0",
    ),
    Mutant(
        "vote-before-fsync",
        "sends its vote before it is on disk",
        "etcd.raft.election",
        'raft.promises.append(Message(m.type + "Resp", raft.id, m.source, term, reject=not granted))',
        'raft.messages.append(Message(m.type + "Resp", raft.id, m.source, term, reject=not granted))',
    ),
    Mutant(
        "vote-not-urgent",
        "does not wait for the disk when only term or vote changed",
        "etcd.raft.raft",
        "return state, (saved.term, saved.vote) != (state.term, state.vote)",
        "return state, False",
    ),
    Mutant(
        "half-is-enough",
        "half of the voters elect a leader",
        "etcd.raft.quorum",
        "needed = len(voters) // 2 + 1 if voters else 0",
        "needed = (len(voters) + 1) // 2",
    ),
    Mutant(
        "last-vote-counts",
        "the last answer of a voter counts, not the first",
        "etcd.raft.election",
        "raft.votes.setdefault(m.source, not m.reject)",
        "raft.votes[m.source] = not m.reject",
    ),
    Mutant(
        "refusals-count",
        "counts a refusal as a vote",
        "etcd.raft.election",
        "raft.votes.setdefault(m.source, not m.reject)",
        "raft.votes.setdefault(m.source, True)",
    ),
    Mutant(
        "own-vote-early",
        "counts its own vote before it is on disk",
        "etcd.raft.election",
        'raft.promises.append(Message(type + "Resp", raft.id, raft.id, term))',
        "raft.votes[raft.id] = True",
    ),
    Mutant(
        "stays-candidate",
        "a candidate ignores the leader of its term",
        "etcd.raft.follower",
        "    if raft.role != FOLLOWER:\n        raft.become(FOLLOWER, m.term, m.source)\n    raft.elapsed",
        "    raft.elapsed",
    ),
    Mutant(
        "no-patience",
        "a vote does not restart the election timeout",
        "etcd.raft.election",
        "raft.elapsed, raft.vote = 0, m.source",
        "raft.vote = m.source",
    ),
    # terms, PreVote, CheckQuorum
    Mutant(
        "keeps-vote",
        "keeps its vote when the term changes",
        "etcd.raft.state",
        "self.term, self.vote = term, 0",
        "self.term = term",
    ),
    Mutant(
        "old-terms-heard",
        "acts on messages of earlier terms",
        "etcd.raft.raft",
        "                self._on_lower_term(m)\n                return None",
        "                self._on_lower_term(m)",
    ),
    Mutant(
        "silent-to-the-past",
        "lets a leader of an earlier term go on believing",
        "etcd.raft.raft",
        'if m.type in ("MsgApp", "MsgHeartbeat") and (self.config.check_quorum or self.config.pre_vote):',
        "if False:",
    ),
    Mutant(
        "pre-vote-moves-term",
        "a pre-vote already changes the term",
        "etcd.raft.raft",
        'if m.type != "MsgPreVote" and (m.type != "MsgPreVoteResp" or m.reject):',
        'if m.type != "MsgPreVoteResp" or m.reject:',
    ),
    Mutant(
        "pre-vote-resets-timeout",
        "granting a pre-vote restarts the election timeout",
        "etcd.raft.election",
        "    if granted and real:\n        raft.elapsed, raft.vote = 0, m.source",
        "    if granted:\n        raft.elapsed = 0\n    if granted and real:\n        raft.vote = m.source",
    ),
    Mutant(
        "no-lease",
        "grants votes while it hears from a leader",
        "etcd.raft.election",
        "return raft.config.check_quorum and raft.lead != 0 and raft.elapsed < raft.config.election_tick",
        "return False",
    ),
    Mutant(
        "lease-too-long",
        "holds the lease for its own, random timeout",
        "etcd.raft.election",
        "raft.elapsed < raft.config.election_tick",
        "raft.elapsed < raft.timeout",
    ),
    Mutant(
        "lease-bars-transfer",
        "refuses the vote that the leader itself wants",
        "etcd.raft.election",
        "or m.force:",
        "or False:",
    ),
    Mutant(
        "never-steps-down",
        "a leader without a majority stays leader",
        "etcd.raft.leader",
        "if quorum.verdict(raft.configuration.majorities, active) != quorum.WON:",
        "if False:",
    ),
    Mutant(
        "remembers-activity",
        "once heard of is for ever active",
        "etcd.raft.leader",
        "progress.active = member == raft.id",
        "pass",
    ),
    # the log
    Mutant(
        "no-check-before",
        "appends without comparing the entry before",
        "etcd.raft.log",
        "        if self.term(index) != term:\n            return None\n        for position",
        "        for position",
    ),
    Mutant(
        "always-cuts",
        "cuts its log at every message",
        "etcd.raft.log",
        "            if ours != entry.term:\n",
        "            if entry.index > self.commit:\n",
    ),
    Mutant("never-cuts", "keeps entries that conflict", "etcd.raft.log", "if ours != entry.term:", "if ours is None:"),
    Mutant(
        "commits-beyond-message",
        "commits what the message does not vouch for",
        "etcd.raft.log",
        "self.commit_to(min(commit, last))",
        "self.commit_to(min(commit, self.last_index))",
    ),
    Mutant(
        "ack-before-fsync",
        "says it has an entry before the disk has it",
        "etcd.raft.follower",
        'raft.promises.append(Message("MsgAppResp", raft.id, m.source, raft.term, index))',
        'raft.messages.append(Message("MsgAppResp", raft.id, m.source, raft.term, index))',
    ),
    Mutant(
        "leader-counts-early",
        "a leader counts its own copy before its disk has it",
        "etcd.raft.leader",
        'raft.promises.append(Message("MsgAppResp", raft.id, raft.id, raft.term, log.last_index))',
        "raft.progress[raft.id].match = log.last_index",
    ),
    Mutant(
        "overtaken-write-counts",
        "takes a late write for the entry that replaced it",
        "etcd.raft.log",
        '        elif self.term(index) != term:\n            self._note("mismatched", term, index, self.term(index))\n',
        "",
    ),
    Mutant(
        "acks-what-it-has",
        "answers with the end of its log, not of the message",
        "etcd.raft.log",
        "        self.commit_to(min(commit, last))\n        return last",
        "        self.commit_to(min(commit, last))\n        return self.last_index",
    ),
    # committing
    Mutant(
        "commits-old-terms",
        "commits an entry of an earlier term by counting (figure 8)",
        "etcd.raft.leader",
        "if index <= log.commit or log.term(index) != raft.term:",
        "if index <= log.commit:",
    ),
    Mutant(
        "minority-commits",
        "one copy fewer than a majority commits",
        "etcd.raft.quorum",
        "return sorted(map(match, voters), reverse=True)[len(voters) // 2]",
        "return sorted(map(match, voters), reverse=True)[max(0, len(voters) // 2 - 1)]",
    ),
    Mutant(
        "no-empty-entry",
        "a new leader begins its term without an entry of its own",
        "etcd.raft.leader",
        "    append_own(raft, [None])\n",
        "",
    ),
    Mutant(
        "heartbeat-commits-all",
        "a heartbeat carries a commit that the follower may not have",
        "etcd.raft.leader",
        "progress.sent_commit = known = min(progress.match, commit)",
        "progress.sent_commit = known = commit",
    ),
    # progress
    Mutant(
        "believes-old-refusals",
        "an old refusal sends a replicating follower back",
        "etcd.raft.progress",
        "            if index <= self.match:\n                return False\n            self.next",
        "            self.next",
    ),
    Mutant(
        "believes-any-refusal",
        "an old refusal sends a probe back",
        "etcd.raft.progress",
        "            if index != self.next - 1:\n                return False\n",
        "",
    ),
    Mutant(
        "match-goes-back",
        "an old answer lowers what is known to match",
        "etcd.raft.progress",
        "        if index <= self.match:\n            return False\n        self.match, self.next",
        "        if index == self.match:\n            return False\n        self.match, self.next",
    ),
    Mutant(
        "no-window",
        "sends without limit",
        "etcd.raft.progress",
        "        self.paused = self.full\n",
        "",
    ),
    Mutant(
        "stuck-window",
        "a heartbeat's answer does not open a full window",
        "etcd.raft.leader",
        "progress.active, progress.paused = True, False",
        "progress.active = True",
    ),
    Mutant(
        "probe-forever",
        "a probe that is answered does not begin to replicate",
        "etcd.raft.leader",
        "(progress.match == m.index and progress.state == PROBE)",
        "False",
    ),
    Mutant(
        "probes-twice",
        "a prober does not wait for the answer",
        "etcd.raft.progress",
        "self.paused = self.paused or entries > 0",
        "pass",
    ),
    Mutant(
        "slow-hint",
        "goes back one entry at a time",
        "etcd.raft.leader",
        "if m.log_term else m.hint",
        "if False else m.index - 1",
    ),
    # reads
    Mutant(
        "reads-before-own-commit",
        "a new leader answers reads before it has committed in its term",
        "etcd.raft.leader",
        "if not alone and raft.log.term(raft.log.commit) != raft.term:",
        "if False:",
    ),
    Mutant(
        "reads-unconfirmed",
        "a leader answers reads without asking whether it still leads",
        "etcd.raft.leader",
        "elif alone or raft.config.lease_reads:",
        "elif True:",
    ),
    Mutant(
        "reads-confirmed-by-one",
        "one answer confirms a read",
        "etcd.raft.readindex",
        "if quorum.verdict(majorities, confirmed) == quorum.WON:",
        "if len(confirmed) > 1:",
    ),
    Mutant(
        "reads-outlive-the-term",
        "reads that waited are answered in a later term",
        "etcd.raft.state",
        "        self.read_requests = ReadRequests()\n",
        '        self.read_requests = getattr(self, "read_requests", ReadRequests())\n',
    ),
    Mutant(
        "later-reads-too",
        "a confirmation settles reads that came after it was asked for",
        "etcd.raft.readindex",
        "return self._resolve(position + 1)",
        "return self._resolve(len(self._waiting))",
    ),
    # membership
    Mutant(
        "two-changes",
        "takes a second change of membership before the first is applied",
        "etcd.raft.leader",
        "    if raft.pending_change > applied:\n",
        "    if False:\n",
    ),
    Mutant(
        "campaigns-unaware",
        "campaigns with a committed change unapplied",
        "etcd.raft.election",
        "    elif _change_unapplied(raft):",
        "    elif False:",
    ),
    Mutant(
        "joint-by-one",
        "in a joint configuration one majority commits",
        "etcd.raft.quorum",
        "return min(_committed(voters, match) for voters in majorities)",
        "return max(_committed(voters, match) for voters in majorities)",
    ),
    Mutant(
        "joint-elects-by-one",
        "in a joint configuration one majority elects",
        "etcd.raft.quorum",
        "        if one == LOST:\n            return LOST\n",
        "        if one == WON:\n            return WON\n",
    ),
    Mutant(
        "joint-for-ever",
        "does not leave a joint configuration by itself",
        "etcd.raft.raft",
        "if self.configuration.auto_leave and",
        "if False and",
    ),
    Mutant(
        "learner-counts",
        "a learner campaigns",
        "etcd.raft.state",
        "self._votes_here = self.id in configuration.all_voters",
        "self._votes_here = self.id in self._members",
    ),
    Mutant(
        "many-voters-at-once",
        "changes several voters in one step",
        "etcd.raft.confchange",
        "    if len(before.voters ^ draft.voters) > 1:\n",
        "    if False:\n",
    ),
    Mutant(
        "removed-leader-appends",
        "a removed leader takes proposals",
        "etcd.raft.leader",
        "if raft.id not in raft.progress:\n        return DROPPED",
        "if False:\n        return DROPPED",
    ),
    # snapshots
    Mutant(
        "installs-the-past",
        "installs a snapshot older than its log",
        "etcd.raft.follower",
        "    if snapshot.index <= raft.log.commit:\n        return False\n",
        "",
    ),
    Mutant(
        "installs-what-it-has",
        "throws its log away for a snapshot that it matches",
        "etcd.raft.follower",
        "if raft.log.term(snapshot.index) == snapshot.term:",
        "if False:",
    ),
    Mutant(
        "snapshot-sent-again",
        "forgets that a snapshot is under way",
        "etcd.raft.progress",
        "return self.paused or self.state == SNAPSHOT",
        "return self.paused",
    ),
    Mutant(
        "campaigns-half-installed",
        "campaigns while a snapshot is being installed",
        "etcd.raft.state",
        "return self._votes_here and self.log.snapshot is None",
        "return self._votes_here",
    ),
    # transfer
    Mutant(
        "appends-while-leaving",
        "takes proposals while it hands over",
        "etcd.raft.leader",
        '    if raft.transferee:\n        raft.note("transfer-drops")\n        return DROPPED\n',
        "",
    ),
    Mutant(
        "transfer-for-ever", "a transfer never times out", "etcd.raft.raft", "            self.transferee = 0\n", ""
    ),
    Mutant(
        "transfer-too-early",
        "tells a member to take over that lacks entries",
        "etcd.raft.leader",
        'if progress.match == raft.log.last_index:\n        raft.note("transfer-at-once", target)',
        'if True:\n        raft.note("transfer-at-once", target)',
    ),
    Mutant(
        "transfer-asks-first",
        "who is told to take over asks for pre-votes",
        "etcd.raft.election",
        "if raft.config.pre_vote and not force else",
        "if raft.config.pre_vote else",
    ),
    # effects
    Mutant(
        "applies-before-commit",
        "applies what is not committed",
        "etcd.raft.log",
        "return self.commit if unwritten else min(self.commit, self.stable)",
        "return self.last_index if unwritten else min(self.commit, self.stable)",
    ),
    Mutant(
        "skips-entries",
        "hands entries to be written only once, even if they were replaced",
        "etcd.raft.log",
        "self.stable = self.given = first - 1",
        "self.stable = first - 1",
    ),
    # short ways
    Mutant(
        "overhears-commits",
        "takes a heartbeat that brings a commit for one that brings nothing",
        "etcd.raft.raft",
        "or self.lead != m.source or m.commit > self.log.commit",
        "or self.lead != m.source",
    ),
    Mutant(
        "keeps-promises-early",
        "keeps promises before it has written what they are about",
        "etcd.raft.raft",
        "        if self.has_work():\n            self.promises",
        "        if not promises:\n            self.promises",
    ),
)

# Faults of the driver, where the machine meets disk, wire and clients: only a whole etcd shows them (`nemesis.py`).
DRIVEN = (
    Mutant(
        "sends-before-fsync",
        "says what it has before its disk has it",
        "etcd.server.member",
        "early = self.raft.role == LEADER and all(promise.target == self.id for promise in ready.promises)",
        "early = True",
    ),
    Mutant(
        "forgets-its-vote",
        "comes back without the term and the vote it had",
        "etcd.server.datadir",
        "            self.hard_state = ready.hard_state\n",
        "            self.hard_state = HardState(ready.hard_state.term, 0, ready.hard_state.commit)\n",
    ),
    Mutant(
        "reads-before-applying",
        "answers a read before its store has come so far",
        "etcd.server.reads",
        "if self.index is not None and index >= self.index:",
        "if self.index is not None:",
    ),
    Mutant(
        "any-confirmation",
        "takes the confirmation of earlier reads for that of later ones",
        "etcd.server.reads",
        "if context == (self.member.incarnation, self.number) and self.batch and self.index is None:",
        "if self.batch and self.index is None:",
    ),
    Mutant(
        "answers-for-the-dead",
        "after a restart takes the result of an old request for that of a new one",
        "etcd.server.server",
        "proposal.member == self.member.name and proposal.incarnation == self.member.incarnation",
        "proposal.member == self.member.name",
    ),
)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with the fault in it."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name == f"kubemini.{self.mutant.module}":
            return importlib.util.spec_from_loader(name, self, origin=str(self.mutant.path))
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source(), str(self.mutant.path), "exec"), module.__dict__)


def plant(mutant: Mutant) -> None:
    """From now on *mutant* is what is imported; to be called in a process that has not imported kubemini yet."""
    sys.meta_path.insert(0, _Finder(mutant))


def try_out(mutant: Mutant, everything: bool) -> dict[str, str]:
    """Which ways of testing notice *mutant*; to be called in a fresh process."""
    plant(mutant)
    tests = {"sentences": _sentences, "conversations": _conversations, "schedules": _schedules}
    found: dict[str, str] = {}
    for way in WAYS:
        if everything or NOTICED not in found.values():
            found[way] = MISSED if tests[way]() else NOTICED
    return found


def _sentences() -> bool:
    """The tests of `test_raft.py`, called without pytest, which would take longer than all of them."""
    from tests import test_raft

    tests = [test for name, test in vars(test_raft).items() if name.startswith("test_")]
    try:
        for test in tests:
            for arguments in _arguments(test):
                test(*arguments)
    except BaseException as error:  # pytest's Failed is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return False
    return True


def _arguments(test: Any) -> list[tuple[Any, ...]]:
    """What `pytest.mark.parametrize` says *test* is to be called with."""
    marks = getattr(test, "pytestmark", [])
    if not marks:
        return [()]
    names, values = marks[0].args
    return list(values) if "," in names else [(value,) for value in values]


def _conversations() -> bool:
    from tests.oracles.raft import compare, record

    try:
        return all(not compare.difference_in(path) for path in record.files())
    except Exception:
        return False


def _schedules() -> bool:
    from tests import raft_world

    try:
        return all(not raft_world.failure(*raft_world.schedule(seed, 150), seed) for seed in range(SCHEDULES))
    except Exception:
        return False


def _scenarios(name: str, *numbers: str) -> int:
    """Let the nemesis (`nemesis.py`) look for the mutant called *name*, in scenarios of a whole etcd."""
    plant(next(mutant for mutant in (*MUTANTS, *DRIVEN) if mutant.name == name))
    from tests import nemesis, panics

    panics.are_failures()
    return nemesis.main(list(numbers), name)


def examine(mutant: Mutant, everything: bool = False) -> dict[str, str]:
    """Which ways of testing notice *mutant*, tried in a process of their own."""
    command = [sys.executable, "-m", "tests.mutants", "--one", mutant.name, *(["--all"] if everything else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    last = done.stdout.strip().splitlines()[-1:]
    assert done.returncode == 0 and last, f"{mutant.name} could not be tried: {done.stderr[-500:]}"
    return json.loads(last[0])


def main(arguments: Sequence[str]) -> int:
    """The table; 1 if a mutant goes unnoticed."""
    everything = "--all" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")]
    if "--nemesis" in arguments:
        return _scenarios(*names)
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if "--one" in arguments:
        print("\n" + json.dumps(try_out(chosen[0], everything)))
        return 0
    unnoticed, table = [], []
    for mutant in chosen:
        found = examine(mutant, everything)
        ways = [way for way, result in found.items() if result == NOTICED]
        unnoticed += [] if ways else [mutant.name]
        table.append(json.dumps({"name": mutant.name, "fault": mutant.fault, "noticed_by": ways}))
        print(f"{mutant.name:26} {mutant.fault:64} {', '.join(ways) or 'NOT NOTICED'}", flush=True)
    if everything and not names:
        TABLE.write_text("[\n" + ",\n".join(table) + "\n]\n", encoding="utf-8")
    print(
        f"{len(chosen) - len(unnoticed)} of {len(chosen)} noticed"
        + (f", not: {', '.join(unnoticed)}" if unnoticed else "")
    )
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
