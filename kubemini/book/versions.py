"""What one version of etcd does otherwise than another: 3.4, 3.5, 3.6 and 3.7 side by side, for whoever sees a cluster.

Ours is the newest of them. The cells of 3.4, 3.6 and 3.7 are held against what members of 3.4.23, 3.6.16 and 3.7.3 were
asked (tests/oracles/etcd/versions.json), those of 3.5 against recordings of 3.5.1 where there is one, and else against
the source of 3.5.21; the *source* says which file, which flag of ``--help``, or which question.
"""

from typing import NamedTuple

VERSIONS = ("3.4", "3.5", "3.6", "3.7")


class Difference(NamedTuple):
    """A row: the question, the answer of each of `VERSIONS`, and where it can be read or asked."""

    what: str
    answers: tuple[str, str, str, str]
    source: str


DIFFERENCES = (
    Difference("asks before it votes (PreVote)", ("no", "yes", "yes", "yes"), "--pre-vote"),
    Difference("writes a snapshot every so many entries", ("100000", "100000", "10000", "10000"), "--snapshot-count"),
    Difference(
        "keeps so much of the log in memory, for followers that are behind",
        ("up to 105 000", "up to 105 000", "5000", "5000"),
        "etcdserver/server.go memorySnapshotCount",
    ),
    Difference(
        "lets an operator say how much of the log it keeps",
        ("no", "experimental-snapshot-catchup-entries", "snapshot-catchup-entries", "snapshot-catchup-entries"),
        "--snapshot-catchup-entries",
    ),
    Difference(
        "tells watches now and then how far they are",
        (
            "experimental-watch-progress-notify-interval",
            "experimental-watch-progress-notify-interval",
            "watch-progress-notify-interval",
            "watch-progress-notify-interval",
        ),
        "--watch-progress-notify-interval",
    ),
    Difference("allows more learners, if told to", ("no", "no", "max-learners", "max-learners"), "--max-learners"),
    Difference(
        "adds a voter while another member is not there",
        ("never", "never", "if the rest is a quorum all the same", "if the rest is a quorum all the same"),
        "etcdserver/server.go mayAddMember",
    ),
    Difference(
        "lists its members without a quorum, when it is asked for the newest list (etcdctl asks so since 3.5)",
        ("yes", "no", "no", "no"),
        "api/v3rpc/member.go MemberList",
    ),
    Difference(
        "code of the error: context deadline exceeded",
        ("UNKNOWN", "UNKNOWN, later DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
        "api/v3rpc/util.go",
    ),
    Difference(
        "code of the error: rpc not supported for learner",
        ("UNAVAILABLE", "UNAVAILABLE", "FAILED_PRECONDITION", "FAILED_PRECONDITION"),
        "api/v3rpc/rpctypes/error.go",
    ),
    Difference(
        "names the lease of a key when only keys are asked for", ("yes", "yes", "yes", "no"), "mvcc/kvstore_txn.go"
    ),
)


def table() -> list[tuple[str, ...]]:
    """A row for each difference: the question, the answer of each version, the source."""
    return [(row.what, *row.answers, row.source) for row in DIFFERENCES]
