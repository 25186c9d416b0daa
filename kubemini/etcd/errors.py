"""How etcd says no: a gRPC code, etcd's own words, and whether the request certainly did not happen.

Invariant: `definite` is True only if the request has changed nothing and never will. A proposal that timed out may
still commit, whatever the words of the error are. A failed read changes nothing, so its error is always definite.
Texts and codes: etcd 3.7 api/v3rpc/rpctypes/error.go, checked against recorded sessions (tests/oracles/etcd).
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class EtcdError:
    """An error answer. *code* is the gRPC code's name; *definite*: it certainly did not happen."""

    code: str
    message: str
    definite: bool = True

    def __str__(self) -> str:
        return self.message

    def of_a_read(self) -> "EtcdError":
        """The same answer to a request that could change nothing."""
        return replace(self, definite=True)


EMPTY_KEY = EtcdError("INVALID_ARGUMENT", "etcdserver: key is not provided")
KEY_NOT_FOUND = EtcdError("INVALID_ARGUMENT", "etcdserver: key not found")
VALUE_PROVIDED = EtcdError("INVALID_ARGUMENT", "etcdserver: value is provided")
LEASE_PROVIDED = EtcdError("INVALID_ARGUMENT", "etcdserver: lease is provided")
TOO_MANY_OPS = EtcdError("INVALID_ARGUMENT", "etcdserver: too many operations in txn request")
DUPLICATE_KEY = EtcdError("INVALID_ARGUMENT", "etcdserver: duplicate key given in txn request")
TOO_LARGE = EtcdError("INVALID_ARGUMENT", "etcdserver: request is too large")
NO_SPACE = EtcdError("RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded")
NO_SPACE_LEFT = replace(NO_SPACE, definite=False)  # the same words to who was let in and then found no room: it is done
COMPACTED = EtcdError("OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted")
FUTURE_REVISION = EtcdError("OUT_OF_RANGE", "etcdserver: mvcc: required revision is a future revision")
LEASE_NOT_FOUND = EtcdError("NOT_FOUND", "etcdserver: requested lease not found")
LEASE_EXISTS = EtcdError("FAILED_PRECONDITION", "etcdserver: lease already exists")
LEASE_TTL_TOO_LARGE = EtcdError("OUT_OF_RANGE", "etcdserver: too large lease TTL")
NO_LEADER = EtcdError("UNAVAILABLE", "etcdserver: no leader")
NOT_LEADER = EtcdError("FAILED_PRECONDITION", "etcdserver: not leader")
BAD_TRANSFEREE = EtcdError("FAILED_PRECONDITION", "etcdserver: bad leader transferee")
UNHEALTHY = EtcdError("UNAVAILABLE", "etcdserver: unhealthy cluster")
NOT_ENOUGH_STARTED = EtcdError(
    "FAILED_PRECONDITION", "etcdserver: re-configuration failed due to not enough started members"
)
BAD_URLS = EtcdError("INVALID_ARGUMENT", "etcdserver: given member URLs are invalid")
ALARM_NOT_SIMULATED = EtcdError(
    "INVALID_ARGUMENT", "of the alarms only NOSPACE can be raised here: a real etcd stops at any other"
)
PEER_URL_EXISTS = EtcdError("FAILED_PRECONDITION", "etcdserver: Peer URLs already exists")
MEMBER_EXISTS = EtcdError("FAILED_PRECONDITION", "etcdserver: member ID already exist")
MEMBER_NOT_FOUND = EtcdError("NOT_FOUND", "etcdserver: member not found")
NOT_A_LEARNER = EtcdError("FAILED_PRECONDITION", "etcdserver: can only promote a learner member")
LEARNER_NOT_READY = EtcdError(
    "FAILED_PRECONDITION", "etcdserver: can only promote a learner member which is in sync with leader"
)
TOO_MANY_LEARNERS = EtcdError("FAILED_PRECONDITION", "etcdserver: too many learner members in cluster")
NOT_FOR_LEARNERS = EtcdError("FAILED_PRECONDITION", "etcdserver: rpc not supported for learner")
LEADER_CHANGED = EtcdError("UNAVAILABLE", "etcdserver: leader changed", definite=False)
TIMEOUT = EtcdError("UNAVAILABLE", "etcdserver: request timed out", definite=False)
TIMEOUT_LEADER_FAILURE = EtcdError(
    "UNAVAILABLE", "etcdserver: request timed out, possibly due to previous leader failure", definite=False
)
TRANSFER_TIMEOUT = EtcdError(
    "UNAVAILABLE", "etcdserver: request timed out, leader transfer took too long", definite=False
)
# Most often no leader had taken it to Raft; but the words are those of any deadline, so a client cannot tell.
DEADLINE_EXCEEDED = EtcdError("DEADLINE_EXCEEDED", "context deadline exceeded", definite=False)


def message_too_long(size: int, limit: int) -> EtcdError:
    """gRPC itself refuses a message of *size* bytes."""
    return EtcdError("RESOURCE_EXHAUSTED", f"grpc: received message larger than max ({size} vs. {limit})")
