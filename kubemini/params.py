"""Every period, timeout and limit, by its real flag or field name, with its source and version.

Durations are microseconds. A run takes one `Params`; change one with ``dataclasses.replace(Params(), …)``.
Pinned: Kubernetes 1.37, etcd 3.5, HAProxy 2.6. Sources are named without addresses so that the book works offline.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from kubemini.sim.units import MINUTE, MS, SECOND, US

PINNED = {"Kubernetes": "1.37", "etcd": "3.5", "HAProxy": "2.6", "Pyodide": "314.0.7", "Python": "3.11 or later"}


def flag(default: Any, name: str, source: str) -> Any:
    """A parameter: its default, the name it has in the real program, and where that default was read."""
    return field(default=default, metadata={"flag": name, "source": source})


@dataclass(frozen=True, slots=True)
class Params:
    """The defaults of the pinned versions."""

    # the wire and the machines: ours, chosen to be plausible
    network_latency: tuple[int, int] = flag((150 * US, 450 * US), "one-way latency between hosts", "ours: one LAN")
    loopback_latency: tuple[int, int] = flag((20 * US, 40 * US), "one-way latency inside a host", "ours")
    disk_fsync: tuple[int, int] = flag(
        (400 * US, 800 * US), "fsync", "measured: etcd WAL fsync mean 0.43-0.77 ms, ext4"
    )
    tcp_retransmission_timeout: int = flag(200 * MS, "TCP RTO", "Linux minimum retransmission timeout")
    call_timeout: int = flag(10 * SECOND, "deadline of a call that names none", "ours")
    http2_read_idle_timeout: int = flag(30 * SECOND, "HTTP2_READ_IDLE_TIMEOUT_SECONDS", "apimachinery util/net")
    http2_ping_timeout: int = flag(15 * SECOND, "HTTP2_PING_TIMEOUT_SECONDS", "apimachinery util/net")

    # etcd
    etcd_heartbeat_interval: int = flag(100 * MS, "--heartbeat-interval", "etcd 3.5 embed/config.go")
    etcd_election_timeout: int = flag(1000 * MS, "--election-timeout", "etcd 3.5 embed/config.go")
    etcd_pre_vote: bool = flag(True, "--pre-vote", "etcd 3.5 (3.4: false)")
    etcd_check_quorum: bool = flag(True, "CheckQuorum", "etcd server/etcdserver/raft.go")
    etcd_request_timeout: int = flag(7 * SECOND, "5 s + 2 x election timeout", "etcd config.go ReqTimeout; measured")
    etcd_max_request_bytes: int = flag(1_572_864, "--max-request-bytes", "etcd 3.5 embed/config.go")
    etcd_grpc_overhead_bytes: int = flag(512 * 1024, "grpcOverheadBytes", "etcd 3.5 v3rpc/grpc.go")
    etcd_max_txn_ops: int = flag(128, "--max-txn-ops", "etcd 3.5 embed/config.go")
    etcd_snapshot_count: int = flag(100_000, "--snapshot-count", "etcd 3.5 embed/config.go (3.6: 10000)")
    etcd_snapshot_catchup_entries: int = flag(5000, "SnapshotCatchUpEntries", "etcd 3.5 etcdserver/server.go")
    etcd_quota_backend_bytes: int = flag(2 * 1024**3, "--quota-backend-bytes", "etcd 3.5 storage/quota.go (0 there)")
    etcd_max_learners: int = flag(1, "maxLearners", "etcd 3.5 membership/cluster.go (3.6: --max-learners)")
    etcd_health_interval: int = flag(5 * SECOND, "HealthInterval: younger links do not count", "etcd server.go")
    etcd_peer_read_timeout: int = flag(5 * SECOND, "ConnReadTimeout: a silent link is one until then", "etcd rafthttp")
    etcd_peer_check: int = flag(
        50 * MS, "how often a starting member looks for its peers", "etcd 3.5 etcdserver/server.go"
    )
    etcd_snapshot_send_timeout: int = flag(2 * SECOND, "peerDialTimeout", "etcd 3.5 etcdserver/server.go")
    etcd_removal_delay: int = flag(1 * SECOND, "stopWithDelay: a removed member stays so long", "etcd 3.5 server.go")
    etcd_join_timeout: int = flag(2 * SECOND, "patience of a newcomer with each member it asks", "ours")
    etcd_lease_expiry_check: int = flag(500 * MS, "period of the search for expired leases", "etcd lease/lessor.go")
    etcd_lease_forward_pause: int = flag(50 * MS, "pause before a lease is forwarded again", "etcd v3_server.go")
    etcd_max_no_leader: int = flag(3, "maxNoLeaderCnt: election timeouts", "etcd 3.5 v3rpc/interceptor.go")
    etcd_watch_progress_interval: int = flag(
        10 * MINUTE, "--experimental-watch-progress-notify-interval", "etcd 3.5 embed/config.go (kubeadm: 5 s)"
    )
    etcd_read_index_retry: int = flag(500 * MS, "readIndexRetryTime", "etcd v3_server.go; measured")
    etcd_client_retry_pause: int = flag(25 * MS, "defaultBackoffWaitBetween", "etcd client/v3/options.go")
    etcdctl_command_timeout: int = flag(5 * SECOND, "--command-timeout", "etcdctl 3.5")

    # kube-apiserver
    etcd_healthcheck_timeout: int = flag(2 * SECOND, "--etcd-healthcheck-timeout", "kube-apiserver 1.37")
    etcd_readycheck_timeout: int = flag(2 * SECOND, "--etcd-readycheck-timeout", "kube-apiserver 1.37")
    request_timeout: int = flag(60 * SECOND, "--request-timeout", "kube-apiserver 1.37")
    watch_cache_history: int = flag(75 * SECOND, "DefaultEventFreshDuration", "apiserver storagebackend/config.go")
    watch_cache_patience: int = flag(30 * SECOND, "MaxInternalErrorRetryDuration", "apiserver storage/cacher/cacher.go")
    watch_cache_retry: int = flag(1 * SECOND, "time between attempts to fill a watch cache", "apiserver cacher.go")
    watch_cache_forgiven: int = flag(60 * SECOND, "how long a watch that counts anew has lived", "client-go")
    watch_cache_redial: int = flag(50 * MS, "pause before a watch cache watches again", "ours")
    watch_bookmark_period: int = flag(1 * MINUTE, "defaultBookmarkFrequency", "apiserver storage/cacher/cacher.go")
    api_request_work: int = flag(1 * MS, "time an API server works on a request", "ours")

    # leader election of scheduler and controller-manager
    leader_elect_lease_duration: int = flag(15 * SECOND, "--leader-elect-lease-duration", "component-base config")
    leader_elect_renew_deadline: int = flag(10 * SECOND, "--leader-elect-renew-deadline", "component-base config")
    leader_elect_retry_period: int = flag(2 * SECOND, "--leader-elect-retry-period", "component-base config")
    leader_elect_jitter: float = flag(1.2, "JitterFactor", "client-go tools/leaderelection")

    # kubelet and node life cycle
    node_lease_duration: int = flag(40 * SECOND, "nodeLeaseDurationSeconds", "KubeletConfiguration 1.37")
    node_lease_renew_interval: int = flag(10 * SECOND, "0.25 x nodeLeaseDurationSeconds", "kubelet.go")
    node_status_report_frequency: int = flag(5 * MINUTE, "nodeStatusReportFrequency", "KubeletConfiguration 1.37")
    node_monitor_period: int = flag(5 * SECOND, "--node-monitor-period", "kube-controller-manager 1.37")
    node_monitor_grace_period: int = flag(50 * SECOND, "--node-monitor-grace-period", "1.32 and later (40 s before)")
    node_startup_grace_period: int = flag(60 * SECOND, "--node-startup-grace-period", "kube-controller-manager 1.37")
    node_eviction_rate: float = flag(0.1, "--node-eviction-rate", "kube-controller-manager 1.37; nodes a second")
    secondary_node_eviction_rate: float = flag(
        0.01, "--secondary-node-eviction-rate", "kube-controller-manager 1.37; nodes a second"
    )
    unhealthy_zone_threshold: float = flag(0.55, "--unhealthy-zone-threshold", "kube-controller-manager 1.37")
    large_cluster_size_threshold: int = flag(50, "--large-cluster-size-threshold", "kube-controller-manager 1.37")
    toleration_seconds: int = flag(300 * SECOND, "--default-unreachable-toleration-seconds", "kube-apiserver 1.37")
    pod_start: tuple[int, int] = flag((800 * MS, 1600 * MS), "time to start a container, image present", "ours")
    pod_stop: tuple[int, int] = flag((20 * MS, 200 * MS), "time a container takes to exit after SIGTERM", "ours")
    pod_status_sync: int = flag(10 * SECOND, "syncPeriod of the status manager", "kubelet status_manager.go")
    crash_loop_backoff: tuple[int, int] = flag(
        (10 * SECOND, 300 * SECOND), "initialCrashLoopBackOff, MaxContainerBackOff", "kubelet.go"
    )
    node_status_update_frequency: int = flag(10 * SECOND, "nodeStatusUpdateFrequency", "KubeletConfiguration 1.37")
    node_register_backoff: tuple[int, int] = flag(
        (100 * MS, 7 * SECOND), "back-off of registration", "kubelet_node_status.go"
    )
    termination_grace_period: int = flag(30 * SECOND, "terminationGracePeriodSeconds", "k/k pkg/apis/core/v1")
    probe_period: int = flag(10 * SECOND, "periodSeconds", "k/k pkg/apis/core/v1/defaults.go")
    probe_timeout: int = flag(1 * SECOND, "timeoutSeconds", "k/k pkg/apis/core/v1/defaults.go")
    probe_failure_threshold: int = flag(3, "failureThreshold", "k/k pkg/apis/core/v1/defaults.go")
    probe_success_threshold: int = flag(1, "successThreshold", "k/k pkg/apis/core/v1/defaults.go")

    # controllers and clients
    reflector_backoff: tuple[int, int] = flag(
        (800 * MS, 30 * SECOND), "backoff of list and watch", "client-go reflector.go"
    )
    reflector_backoff_reset: int = flag(2 * MINUTE, "back-off reset after", "client-go reflector.go")
    workqueue_backoff: tuple[int, int] = flag((5 * MS, 1000 * SECOND), "ItemExponentialFailureRateLimiter", "client-go")
    concurrent_syncs: int = flag(5, "--concurrent-deployment-syncs and its like", "kube-controller-manager 1.37")
    expectations_timeout: int = flag(5 * MINUTE, "ExpectationsTimeout", "k/k controller_utils.go")
    pod_gc_quarantine: int = flag(40 * SECOND, "quarantineTime", "k/k podgc/gc_controller.go")
    node_monitor_work: int = flag(1 * MS, "time it takes to look at all nodes", "ours")
    client_timeout: int = flag(10 * SECOND, "timeout of an API call by a component", "ours: renew deadline's order")
    scheduler_backoff: tuple[int, int] = flag(
        (1 * SECOND, 10 * SECOND), "podInitial/MaxBackoffSeconds", "kube-scheduler 1.37"
    )
    scheduler_unschedulable_flush: int = flag(
        5 * MINUTE, "DefaultPodMaxInUnschedulablePodsDuration", "scheduling_queue.go"
    )

    # kube-proxy
    iptables_min_sync_period: int = flag(1 * SECOND, "iptables.minSyncPeriod", "KubeProxyConfiguration 1.37")
    iptables_restore: tuple[int, int] = flag((10 * MS, 40 * MS), "time iptables-restore takes", "ours: a small cluster")

    # load balancer
    haproxy_inter: int = flag(2 * SECOND, "inter", "HAProxy 2.6 configuration manual")
    haproxy_rise: int = flag(2, "rise", "HAProxy 2.6 configuration manual")
    haproxy_fall: int = flag(3, "fall", "HAProxy 2.6 configuration manual")
    haproxy_connect_timeout: int = flag(1 * SECOND, "timeout connect", "ours: as in the measurements")
    haproxy_turnaround: int = flag(1 * SECOND, "pause before the same server again", "HAProxy 2.6: min(connect, 1 s)")
    haproxy_server_timeout: int = flag(35 * SECOND, "timeout server", "kubeadm ha-considerations.md")
    haproxy_retries: int = flag(3, "retries", "HAProxy 2.6 configuration manual")
    haproxy_redispatch: bool = flag(True, "option redispatch", "kubeadm ha-considerations.md (HAProxy's default: off)")
    haproxy_balance: str = flag("roundrobin", "balance roundrobin|leastconn", "kubeadm ha-considerations.md")
    haproxy_check: str = flag("http", "option httpchk (http), or a plain connect (tcp)", "kubeadm ha-considerations.md")

    # the clients we simulate
    kubectl_request_timeout: int = flag(10 * SECOND, "--request-timeout", "ours (kubectl's default: for ever)")
    visitor_timeout: int = flag(1 * SECOND, "how long a visitor waits for an answer", "ours")


def table(params: Params | None = None) -> list[tuple[str, Any, str, str]]:
    """(name, value, real flag, source) of every parameter, for the book's appendix."""
    params = params or Params()
    return [(f.name, getattr(params, f.name), f.metadata["flag"], f.metadata["source"]) for f in fields(params)]
