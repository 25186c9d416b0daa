"""Faults of progress, reads, membership, snapshots, transfer and effects; and of the member that drives the machine."""

from tests.mutants.mutant import Mutant

REPLICATION = (
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
        "etcd.server.driver",
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
