"""The periods, timeouts and limits of etcd and of its clients: the part of `params.Params` that etcd stands on.

Sources are named without addresses so that the book works offline.
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.ranges import Count, Duration, Legal, Rate, Size, Span, Switch
from kubemini.sim.units import DAY, HOUR, MINUTE, MS, SECOND


def flag(default: Any, legal: Legal, name: str, source: str) -> Any:
    """A parameter: its default, what it may be, its name in the real program, and where that default was read."""
    return field(default=default, metadata={"legal": legal, "flag": name, "source": source})


@dataclass(frozen=True, slots=True)
class EtcdParams:
    """The defaults of the pinned versions."""

    etcd_heartbeat_interval: int = flag(
        100 * MS, Duration(MS, 10 * SECOND, "ms", MS), "--heartbeat-interval", "etcd 3.7 embed/config.go"
    )
    etcd_election_timeout: int = flag(
        1000 * MS, Duration(5 * MS, 50 * SECOND, "ms", MS), "--election-timeout", "etcd 3.7 embed/config.go"
    )
    etcd_pre_vote: bool = flag(True, Switch(), "--pre-vote", "etcd 3.7 embed/config.go (3.4: false)")
    etcd_check_quorum: bool = flag(True, Switch(), "CheckQuorum", "etcd server/etcdserver/raft.go")
    etcd_max_request_bytes: int = flag(
        1_572_864, Size(1024, 1024**3), "--max-request-bytes", "etcd 3.7 embed/config.go"
    )
    etcd_grpc_overhead_bytes: int = flag(512 * 1024, Size(0, 1024**3), "grpcOverheadBytes", "etcd 3.7 v3rpc/grpc.go")
    etcd_max_txn_ops: int = flag(128, Count(1, 10**9), "--max-txn-ops", "etcd 3.7 embed/config.go")
    etcd_snapshot_count: int = flag(
        10_000, Count(1, 10**9), "--snapshot-count", "etcd 3.7 embed/config.go (before 3.6: 100000)"
    )
    etcd_snapshot_catchup_entries: int = flag(
        5000, Count(1, 10**9), "--snapshot-catchup-entries", "etcd 3.7 etcdserver/server.go"
    )
    etcd_quota_backend_bytes: int = flag(
        2 * 1024**3, Size(1024, 1024**4), "--quota-backend-bytes", "etcd 3.7 storage/quota.go (0 there)"
    )
    etcd_max_learners: int = flag(1, Count(1, 100), "--max-learners", "etcd 3.7 embed/config.go (before 3.6: fixed)")
    etcd_health_interval: int = flag(
        5 * SECOND, Duration(MS, HOUR), "HealthInterval: younger links do not count", "etcd server.go"
    )
    etcd_peer_read_timeout: int = flag(
        5 * SECOND,
        Duration(MS, HOUR),
        "--raft-read-timeout: how long a starting member looks for peers",
        "etcd 3.7 rafthttp/peer.go",
    )
    etcd_peer_write_timeout: int = flag(
        5 * SECOND,
        Duration(MS, HOUR),
        "--raft-write-timeout: how long a sender waits for room in its kernel",
        "etcd 3.7 rafthttp/peer.go",
    )
    etcd_stream_buffer: int = flag(
        4096, Count(1, 10**6), "streamBufSize: what waits for a peer", "etcd 3.7 rafthttp/peer.go"
    )
    etcd_peer_check: int = flag(
        50 * MS,
        Duration(MS, MINUTE),
        "how often a starting member looks for its peers",
        "etcd 3.7 etcdserver/server.go",
    )
    etcd_peer_close_timeout: int = flag(
        1 * SECOND, Duration(0, HOUR), "how long a member that ends waits for its peers", "etcd embed/etcd.go Close"
    )
    etcd_snapshot_send_timeout: int = flag(
        2 * SECOND, Duration(MS, HOUR), "peerDialTimeout", "etcd 3.7 etcdserver/server.go"
    )
    etcd_removal_delay: int = flag(
        1 * SECOND, Duration(0, HOUR), "stopWithDelay: a removed member stays so long", "etcd 3.7 server.go"
    )
    etcd_join_timeout: int = flag(
        2 * SECOND, Duration(MS, HOUR), "patience of a newcomer with each member it asks", "ours"
    )
    etcd_lease_expiry_check: int = flag(
        500 * MS, Duration(MS, MINUTE), "period of the search for expired leases", "etcd lease/lessor.go"
    )
    etcd_lease_forward_pause: int = flag(
        50 * MS, Duration(MS, MINUTE), "pause before a lease is forwarded again", "etcd v3_server.go"
    )
    etcd_max_no_leader: int = flag(
        3, Count(1, 1000), "maxNoLeaderCnt: election timeouts", "etcd 3.7 v3rpc/interceptor.go"
    )
    etcd_watch_progress_interval: int = flag(
        10 * MINUTE,
        Duration(100 * MS, DAY),
        "--watch-progress-notify-interval",
        "etcd 3.7 embed/config.go (kubeadm: 5 s)",
    )
    etcd_read_index_retry: int = flag(
        500 * MS, Duration(MS, MINUTE), "readIndexRetryTime", "etcd 3.7 etcdserver/read/read.go; measured"
    )
    etcd_client_retry_pause: int = flag(
        25 * MS, Duration(MS, MINUTE), "defaultBackoffWaitBetween", "etcd client/v3/options.go"
    )
    etcd_client_keepalive_time: int = flag(
        30 * SECOND, Duration(SECOND, DAY), "keepaliveTime", "apiserver storagebackend/factory/etcd3.go"
    )
    etcd_client_keepalive_timeout: int = flag(
        10 * SECOND,
        Duration(SECOND, DAY),
        "keepaliveTimeout, and with it TCP_USER_TIMEOUT",
        "apiserver storagebackend/factory/etcd3.go, grpc http2_client.go",
    )
    grpc_backoff: tuple[int, int] = flag(
        (1 * SECOND, 120 * SECOND),
        Span(Duration(10 * MS, DAY)),
        "BaseDelay, MaxDelay: pause before a dial",
        "grpc 1.83 backoff/backoff.go",
    )
    grpc_backoff_multiplier: float = flag(1.6, Rate(1, 10), "Multiplier", "grpc 1.83 backoff/backoff.go")
    grpc_backoff_jitter: float = flag(0.2, Rate(0, 1), "Jitter", "grpc 1.83 backoff/backoff.go")
    grpc_min_connect_timeout: int = flag(
        20 * SECOND, Duration(10 * MS, DAY), "minConnectTimeout", "grpc 1.83 clientconn.go"
    )
    etcdctl_command_timeout: int = flag(5 * SECOND, Duration(MS, DAY), "--command-timeout", "etcdctl 3.7")

    @property
    def etcd_request_timeout(self) -> int:
        """How long etcd itself waits for a request: 5 s + 2 x election timeout, etcd config.go ReqTimeout."""
        return 5 * SECOND + 2 * self.etcd_election_timeout
