"""Raft, and the store that it keeps: written by etcd members."""

from kubemini.sim.vocabulary.word import ETCD, Detail, word


def _role(d: Detail) -> str | None:
    match d["role"]:
        case "leader":
            return f"★ is leader of term {d['term']}"
        case "candidate":
            return f"asks for votes in term {d['term']}"
        case "pre-candidate":
            return "hears no leader and asks around whether it could win"
    return f"follows {d['lead']} in term {d['term']}" if d["lead"] else None


def _membership(d: Detail) -> str:
    learners = f", {', '.join(d['learners'])} only listens" if d["learners"] else ""
    return f"goes by new members: {', '.join(d['voters'])} vote{learners}"


word(
    "role",
    ETCD,
    "a member changes role, term or leader; {role: follower|pre-candidate|candidate|leader, term, lead}",
    _role,
    lasts=True,
    drawn=True,
)
word("vote", ETCD, "a member votes; {for, term}", lambda d: f"votes for {d['for']} in term {d['term']}")
word(
    "timer",
    ETCD,
    "its election timer, when it is drawn or found rewound; {since: last wound up,"
    " until: it campaigns unless it hears of a leader, timeout: µs}",
)
word("append", ETCD, "its log grows; {index, term}: the last entry now", drawn=True)
word(
    "truncate",
    ETCD,
    "conflicting entries are cut off; {index}: the first one gone",
    lambda d: f"cuts off its log from {d['index']} on: never committed",
    drawn=True,
)
word("commit", ETCD, "its commit index moves; {index}", drawn=True)
word("apply", ETCD, "its store has applied up to here; {index, revision}", drawn=True)
word(
    "message",
    ETCD,
    "a Raft message other than a heartbeat; {to, type, term, arrives: µs or null if lost}",
)
word(
    "compact",
    ETCD,
    "its log forgets the entries up to here, long since applied; {index}",
    drawn=True,
)
word(
    "snapshot",
    ETCD,
    "log and store are replaced by a leader's snapshot; {index: of its last entry, revision}",
    lambda d: f"installs a snapshot: everything up to entry {d['index']}, revision {d['revision']}",
    drawn=True,
)
word(
    "restore",
    ETCD,
    "a stopped member gets a data directory made from a backup; {revision, members: of the new"
    " cluster, cluster: its id (1 is the first), kv: {key: [value, revision]}}",
    lambda d: f"begins anew from a backup, as one of {', '.join(d['members'])}, revision {d['revision']}",
    drawn=True,
)
word(
    "membership",
    ETCD,
    "the members change: the first member applied it; {voters: [names], learners: [names]}",
    _membership,
    drawn=True,
)
word(
    "room",
    ETCD,
    "its database file, when that or what is used of it has changed by 1/64 of the quota; {size, in_use, quota: bytes}",
    drawn=True,
)
word(
    "alarm",
    ETCD,
    "an alarm is raised or disarmed: the first member applied it; {member, alarm, raised: bool}",
    lambda d: f"sees the alarm {d['alarm']} of {d['member']} {'raised' if d['raised'] else 'disarmed'}",
    drawn=True,
)
word(
    "kv",
    ETCD,
    "a revision exists: the first member applied it; {key, value or null, revision}",
    drawn=True,
)
