"""Every period, timeout and limit, by its real flag or field name, with its legal range, source and version.

Durations are microseconds. A run takes one `Params`; change one with ``replace(Params(), etcd_pre_vote=False)``, or as
a scenario writes it, with ``changed(Params(), {"etcd_heartbeat_interval": "200ms"})``. Whatever the door, a value is
checked when it is set: against its own range (`flag`) and against the others (`RULES`).
Pinned: Kubernetes 1.37, etcd 3.7, HAProxy 2.6. Sources are named without addresses so that the book works offline.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any, cast

from kubemini.etcdparams import flag
from kubemini.networkparams import NetworkParams
from kubemini.ranges import Choice, Count, Duration, Legal, Rate, Span, Switch, Unfit, shown
from kubemini.sim.units import DAY, HOUR, MINUTE, MS, SECOND, US

PINNED = {"Kubernetes": "1.37", "etcd": "3.7", "HAProxy": "2.6", "Pyodide": "314.0.7", "Python": "3.11 or later"}


class ParamError(ValueError):
    """A parameter that cannot be set so; the message names it, what was given, what is legal, and what to do next."""


@dataclass(frozen=True, slots=True)
class Params(NetworkParams):
    """The defaults of the pinned versions. Raises ParamError for a value that will not do.

    A text or list is read as in a scenario's file; a bare number of a duration is microseconds here.
    """

    # the wire and the machines: ours, chosen to be plausible
    network_latency: tuple[int, int] = flag(
        (150 * US, 450 * US), Span(Duration(US, MINUTE)), "one-way latency between hosts", "ours: one LAN"
    )
    loopback_latency: tuple[int, int] = flag(
        (20 * US, 40 * US), Span(Duration(US, MINUTE)), "one-way latency inside a host", "ours"
    )
    disk_fsync: tuple[int, int] = flag(
        (400 * US, 800 * US), Span(Duration(US, MINUTE)), "fsync", "measured: etcd WAL fsync mean 0.43-0.77 ms, ext4"
    )
    tcp_retransmission_timeout: int = flag(
        211 * MS, Duration(MS, 2 * MINUTE), "TCP RTO", "Linux: at least 200 ms; measured after cuts of 6 s"
    )
    tcp_send_buffer: int = flag(
        1100, Count(1, 10**6), "tcp_wmem: heartbeats that a kernel takes", "Linux: 46 KB at first; measured: 42 B each"
    )
    arp_reachable_time: int = flag(
        30 * SECOND, Duration(0, HOUR), "base_reachable_time_ms", "Linux net/ipv4/arp.c; how long an address is trusted"
    )
    http2_read_idle_timeout: int = flag(
        30 * SECOND, Duration(SECOND, DAY, "s", SECOND), "HTTP2_READ_IDLE_TIMEOUT_SECONDS", "apimachinery util/net"
    )
    http2_ping_timeout: int = flag(
        15 * SECOND, Duration(SECOND, DAY, "s", SECOND), "HTTP2_PING_TIMEOUT_SECONDS", "apimachinery util/net"
    )
    client_max_retries: int = flag(10, Count(0, 1000), "maxRetries: of a GET", "client-go rest/request.go")
    client_retry_after: int = flag(
        1 * SECOND, Duration(MS, HOUR), "retryAfter: after an error of the connection", "client-go rest/with_retry.go"
    )

    # kube-apiserver
    etcd_readycheck_timeout: int = flag(
        2 * SECOND, Duration(10 * MS, MINUTE), "--etcd-readycheck-timeout", "kube-apiserver 1.37"
    )
    request_timeout: int = flag(60 * SECOND, Duration(MS, DAY), "--request-timeout", "kube-apiserver 1.37")
    write_request_timeout: int = flag(
        34 * SECOND, Duration(MS, DAY), "requestTimeoutUpperBound: of a write", "apiserver endpoints/handlers/rest.go"
    )
    shutdown_delay_duration: int = flag(0, Duration(0, DAY), "--shutdown-delay-duration", "kube-apiserver 1.37")
    http2_goaway_timeout: int = flag(
        1 * SECOND, Duration(0, MINUTE), "goAwayTimeout: from GOAWAY to the end", "golang.org/x/net http2/server.go"
    )
    apiserver_boot: tuple[int, int] = flag(
        (900 * MS, 1400 * MS), Span(Duration(US, HOUR)), "until an API server listens", "measured, 1.37.2"
    )
    apiserver_sync: tuple[int, int] = flag(
        (150 * MS, 300 * MS), Span(Duration(US, HOUR)), "until its informers have synced", "measured, 1.37.2"
    )
    bootstrap_poll: int = flag(
        1 * SECOND, Duration(MS, HOUR), "wait.Poll: before a hook's first try", "k/k rbac/rest/storage_rbac.go"
    )
    bootstrap_roles: tuple[int, int] = flag(
        (150 * MS, 300 * MS), Span(Duration(US, HOUR)), "rbac/bootstrap-roles at work", "measured, 1.37.2"
    )
    watch_cache_history: int = flag(
        75 * SECOND, Duration(MS, DAY), "DefaultEventFreshDuration", "apiserver storagebackend/config.go"
    )
    watch_cache_patience: int = flag(
        30 * SECOND, Duration(MS, DAY), "MaxInternalErrorRetryDuration", "apiserver storage/cacher/cacher.go"
    )
    watch_cache_block_timeout: int = flag(
        3 * SECOND, Duration(MS, DAY), "blockTimeout: how long a list waits for its version", "apiserver watch_cache.go"
    )
    watch_cache_retry: int = flag(
        1 * SECOND, Duration(MS, DAY), "time between attempts to fill a watch cache", "apiserver cacher.go"
    )
    watch_cache_forgiven: int = flag(
        60 * SECOND, Duration(MS, DAY), "how long a watch that counts anew has lived", "client-go"
    )
    watch_cache_redial: int = flag(50 * MS, Duration(MS, DAY), "pause before a watch cache watches again", "ours")
    watch_bookmark_period: int = flag(
        1 * MINUTE, Duration(100 * MS, DAY), "defaultBookmarkFrequency", "apiserver storage/cacher/cacher.go"
    )
    api_request_work: int = flag(1 * MS, Duration(0, MINUTE), "time an API server works on a request", "ours")

    goaway_chance: float = flag(0.0, Rate(0, 0.02), "--goaway-chance", "kube-apiserver 1.37 (at most 0.02)")

    # leader election of scheduler and controller-manager
    leader_elect_lease_duration: int = flag(
        15 * SECOND, Duration(SECOND, DAY), "--leader-elect-lease-duration", "component-base config"
    )
    leader_elect_renew_deadline: int = flag(
        10 * SECOND, Duration(10 * MS, 23 * HOUR), "--leader-elect-renew-deadline", "component-base config"
    )
    leader_elect_retry_period: int = flag(
        2 * SECOND, Duration(10 * MS, HOUR), "--leader-elect-retry-period", "component-base config"
    )
    leader_elect_jitter: float = flag(1.2, Rate(0, 4), "JitterFactor", "client-go tools/leaderelection")
    restart_policy: str = flag(
        "Always",
        Choice(("Always", "Never")),
        "restartPolicy of the managers' static pods: Never, and one that has lost its Lease stays away",
        "kubeadm app/util/staticpod",
    )

    # kubelet and node life cycle
    node_lease_duration: int = flag(
        40 * SECOND, Duration(SECOND, DAY, "s", SECOND), "nodeLeaseDurationSeconds", "KubeletConfiguration 1.37"
    )
    node_status_report_frequency: int = flag(
        5 * MINUTE, Duration(100 * MS, DAY), "nodeStatusReportFrequency", "KubeletConfiguration 1.37"
    )
    node_monitor_period: int = flag(
        5 * SECOND, Duration(100 * MS, DAY), "--node-monitor-period", "kube-controller-manager 1.37"
    )
    node_monitor_grace_period: int = flag(
        50 * SECOND, Duration(MS, DAY), "--node-monitor-grace-period", "1.32 and later (40 s before)"
    )
    node_startup_grace_period: int = flag(
        60 * SECOND, Duration(MS, DAY), "--node-startup-grace-period", "kube-controller-manager 1.37"
    )
    node_eviction_rate: float = flag(
        0.1, Rate(0, 1000, "nodes a second"), "--node-eviction-rate", "kube-controller-manager 1.37; nodes a second"
    )
    secondary_node_eviction_rate: float = flag(
        0.01,
        Rate(0, 1000, "nodes a second"),
        "--secondary-node-eviction-rate",
        "kube-controller-manager 1.37; nodes a second",
    )
    unhealthy_zone_threshold: float = flag(
        0.55, Rate(0, 1), "--unhealthy-zone-threshold", "kube-controller-manager 1.37"
    )
    large_cluster_size_threshold: int = flag(
        50, Count(0, 10**6), "--large-cluster-size-threshold", "kube-controller-manager 1.37"
    )
    toleration_seconds: int = flag(
        300 * SECOND,
        Duration(0, 365 * DAY, "s", SECOND),
        "--default-unreachable-toleration-seconds",
        "kube-apiserver 1.37",
    )
    node_cidr_mask_size: int = flag(
        24, Count(24, 29), "--node-cidr-mask-size", "kube-controller-manager 1.37; a worker of /29 has five pods"
    )
    kubelet_service_links: bool = flag(
        False, Switch(), "kubelets tell containers of Services", "ours: real ones always do, and watch Services for it"
    )
    kubelet_details: bool = flag(
        False,
        Switch(),
        "kubelets read ConfigMaps and Secrets, refuse what does not fit, and tell of each step",
        "ours: real ones always do; a story has no room for a version when a sandbox is ready or an end begins",
    )
    pod_start: tuple[int, int] = flag(
        (800 * MS, 1600 * MS), Span(Duration(US, HOUR)), "time to start a container, image present", "ours"
    )
    program_start: int = flag(
        0, Duration(0, HOUR), "longest time from a container's start to the first thing its program does", "ours"
    )
    pod_stop: tuple[int, int] = flag(
        (20 * MS, 200 * MS), Span(Duration(US, HOUR)), "time a container takes to exit after SIGTERM", "ours"
    )
    pod_status_sync: int = flag(
        10 * SECOND, Duration(10 * MS, DAY), "syncPeriod of the status manager", "kubelet status_manager.go"
    )
    crash_loop_backoff: tuple[int, int] = flag(
        (10 * SECOND, 300 * SECOND),
        Span(Duration(10 * MS, DAY)),
        "initialCrashLoopBackOff, MaxContainerBackOff",
        "kubelet.go",
    )
    node_status_update_frequency: int = flag(
        10 * SECOND, Duration(100 * MS, DAY), "nodeStatusUpdateFrequency", "KubeletConfiguration 1.37"
    )
    node_register_backoff: tuple[int, int] = flag(
        (100 * MS, 7 * SECOND), Span(Duration(10 * MS, DAY)), "back-off of registration", "kubelet_node_status.go"
    )

    # controllers and clients
    all_controllers: bool = flag(
        False,
        Switch(),
        "--controllers=*",
        "kube-controller-manager 1.37 runs all; a story only those that its chapters need, and their watches",
    )
    close_up: str = flag(
        "none",
        Choice(("none", "replicaset-controller", "deployment-controller", "endpoint-slice-controller")),
        "whose caches, queue and looks the trace tells, as --v=4 logs tell them",
        "ours",
    )
    min_resync_period: int = flag(
        12 * HOUR, Duration(SECOND, 365 * DAY), "--min-resync-period", "kube-controller-manager 1.37; up to twice that"
    )
    kube_api_qps: int = flag(
        20, Count(1, 10**6), "--kube-api-qps: of each controller", "kube-controller-manager 1.37, ClientConnection"
    )
    kube_api_burst: int = flag(
        30, Count(1, 10**6), "--kube-api-burst: of each controller", "kube-controller-manager 1.37, ClientConnection"
    )
    record_events: bool = flag(
        False,
        Switch(),
        "EventBroadcaster.StartRecordingToSink",
        "client-go tools/record: every program tells; the book's stories do without",
    )
    resource_quota_sync_period: int = flag(
        5 * MINUTE, Duration(SECOND, DAY), "--resource-quota-sync-period", "kube-controller-manager 1.37"
    )
    horizontal_pod_autoscaler_sync_period: int = flag(
        15 * SECOND, Duration(SECOND, HOUR), "--horizontal-pod-autoscaler-sync-period", "kube-controller-manager 1.37"
    )
    horizontal_pod_autoscaler_downscale_stabilization: int = flag(
        5 * MINUTE,
        Duration(0, DAY),
        "--horizontal-pod-autoscaler-downscale-stabilization",
        "kube-controller-manager 1.37",
    )
    horizontal_pod_autoscaler_tolerance: float = flag(
        0.1, Rate(0, 10), "--horizontal-pod-autoscaler-tolerance", "kube-controller-manager 1.37"
    )
    horizontal_pod_autoscaler_cpu_initialization_period: int = flag(
        5 * MINUTE,
        Duration(0, DAY),
        "--horizontal-pod-autoscaler-cpu-initialization-period",
        "kube-controller-manager 1.37",
    )
    horizontal_pod_autoscaler_initial_readiness_delay: int = flag(
        30 * SECOND,
        Duration(0, DAY),
        "--horizontal-pod-autoscaler-initial-readiness-delay",
        "kube-controller-manager 1.37",
    )
    pvclaimbinder_sync_period: int = flag(
        15 * SECOND, Duration(SECOND, DAY), "--pvclaimbinder-sync-period", "kube-controller-manager 1.37"
    )
    reflector_backoff: tuple[int, int] = flag(
        (800 * MS, 30 * SECOND), Span(Duration(10 * MS, DAY)), "backoff of list and watch", "client-go reflector.go"
    )
    reflector_backoff_reset: int = flag(2 * MINUTE, Duration(0, DAY), "back-off reset after", "client-go reflector.go")
    workqueue_backoff: tuple[int, int] = flag(
        (5 * MS, 1000 * SECOND), Span(Duration(MS, DAY)), "ItemExponentialFailureRateLimiter", "client-go"
    )
    concurrent_syncs: int = flag(
        5, Count(1, 1000), "--concurrent-deployment-syncs and its like", "kube-controller-manager 1.37"
    )
    concurrent_gc_syncs: int = flag(20, Count(1, 1000), "--concurrent-gc-syncs", "kube-controller-manager 1.37")
    expectations_timeout: int = flag(
        5 * MINUTE, Duration(SECOND, DAY), "ExpectationsTimeout", "k/k controller_utils.go"
    )
    pod_gc_period: int = flag(20 * SECOND, Duration(SECOND, DAY), "gcCheckPeriod", "k/k podgc/gc_controller.go")
    pod_gc_quarantine: int = flag(40 * SECOND, Duration(0, DAY), "quarantineTime", "k/k podgc/gc_controller.go")
    terminated_pod_gc_threshold: int = flag(
        12_500, Count(0, 10**9), "--terminated-pod-gc-threshold", "kube-controller-manager 1.37; 0: ended pods stay"
    )
    node_monitor_work: int = flag(1 * MS, Duration(0, MINUTE), "time it takes to look at all nodes", "ours")
    http2_max_streams: int = flag(
        100, Count(1, 10**6), "--http2-max-streams-per-connection (0 there)", "apiserver server/secure_serving.go"
    )
    tls_handshake_timeout: int = flag(
        10 * SECOND, Duration(MS, DAY), "TLSHandshakeTimeout", "apimachinery util/net SetTransportDefaults"
    )
    dial_timeout: int = flag(30 * SECOND, Duration(MS, DAY), "net.Dialer Timeout", "client-go transport/cache.go")
    scheduler_backoff: tuple[int, int] = flag(
        (1 * SECOND, 10 * SECOND),
        Span(Duration(SECOND, DAY, "s", SECOND)),
        "podInitial/MaxBackoffSeconds",
        "kube-scheduler 1.37",
    )
    scheduler_unschedulable_flush: int = flag(
        5 * MINUTE, Duration(SECOND, DAY), "DefaultPodMaxInUnschedulablePodsDuration", "scheduling_queue.go"
    )

    # the clients we simulate
    kubectl_request_timeout: int = flag(0, Duration(0, DAY, "s"), "--request-timeout", "kubectl 1.37: 0 means for ever")
    visitor_timeout: int = flag(1 * SECOND, Duration(MS, DAY), "how long a visitor waits for an answer", "ours")

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, legal = getattr(self, entry.name), entry.metadata["legal"]
            if not legal.fits(value):
                object.__setattr__(self, entry.name, _usable(entry, value, isinstance(value, str | list)))
        for holds, sentence in RULES:
            if not holds(self):
                values = {f.name: f.metadata["legal"].write(getattr(self, f.name)) for f in fields(self)}
                raise ParamError(sentence.format_map(values))

    @property
    def heartbeat_timeout(self) -> int:
        """How long a kubelet waits for each sign of life, cmd/kubelet/app/server.go heartbeatClientConfig."""
        return min(self.node_status_update_frequency, self.node_lease_duration)

    @property
    def node_lease_renew_interval(self) -> int:
        """A quarter of a node Lease's duration, kubelet.go nodeLeaseRenewIntervalFraction."""
        return self.node_lease_duration // 4


RULES: tuple[tuple[Callable[[Params], bool], str], ...] = (
    (
        lambda p: p.etcd_election_timeout >= 5 * p.etcd_heartbeat_interval,
        "etcd_election_timeout: {etcd_election_timeout} is less than 5 times etcd_heartbeat_interval"
        " ({etcd_heartbeat_interval}), which etcd refuses: raise the one or lower the other",
    ),
    (
        lambda p: p.leader_elect_lease_duration > p.leader_elect_renew_deadline,
        "leader_elect_lease_duration: {leader_elect_lease_duration} is not longer than leader_elect_renew_deadline"
        " ({leader_elect_renew_deadline}), which client-go refuses: raise the one or lower the other",
    ),
    (
        lambda p: p.leader_elect_renew_deadline > p.leader_elect_jitter * p.leader_elect_retry_period,
        "leader_elect_renew_deadline: {leader_elect_renew_deadline} is not longer than leader_elect_retry_period"
        " ({leader_elect_retry_period}) x {leader_elect_jitter} (leader_elect_jitter), which client-go refuses:"
        " raise the one or lower the others",
    ),
    (
        lambda p: all(0 <= mask - int(cidr.split("/")[1]) <= 16 for cidr, mask in _nodes_ranges(p)),
        "cluster_cidr: {cluster_cidr} cannot be shared out in ranges of /{node_cidr_mask_size} (IPv4) and"
        " /{node_cidr_mask_size_ipv6} (IPv6): kube-controller-manager wants a prefix that is shorter by 0 to 16 bits;"
        " write another range, or other mask sizes",
    ),
)


def _nodes_ranges(params: Params) -> list[tuple[str, int]]:
    """The ranges of the cluster, and how long the prefix of a node's share is."""
    masks = params.node_cidr_mask_size, params.node_cidr_mask_size_ipv6
    return [(cidr, masks[":" in cidr]) for cidr in params.cluster_cidr]


def altered(params: Params) -> list[str]:
    """The names of what is not as Kubernetes, etcd and HAProxy have it by default."""
    plain = Params()
    return [entry.name for entry in fields(Params) if getattr(params, entry.name) != getattr(plain, entry.name)]


def changed(params: Params, values: Any) -> Params:
    """*params* with other *values* by name, written as in a scenario's file. Raises ParamError."""
    if not isinstance(values, Mapping):
        raise ParamError(f"params: {shown(values)} was given, but it is a mapping from names to values")
    known = {entry.name: entry for entry in fields(Params)}
    usable: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ParamError(f"there is no parameter {shown(name)}{hint}; see kubemini/params.py")
        usable[name] = _usable(known[name], value, True)
    return replace(params, **usable)


def _usable(entry: "Field[Any]", value: Any, read: bool) -> Any:
    """*value* as the program uses it; *read* it first if it is written as in a file."""
    legal: Legal = entry.metadata["legal"]
    try:
        found = legal.read(value) if read else value
        if legal.fits(found):
            return found
        given = f"{shown(value)} was given"
        if not read and isinstance(value, int) and isinstance(legal, Duration):
            given = f"{value} us was given"
    except Unfit as error:
        given = str(error)
    example = legal.write(cast(Any, entry.default))
    raise ParamError(f"{entry.name}: {given}, but it is {legal}: write for example {example}, the default")


def table(params: Params | None = None) -> list[tuple[str, Any, str, str]]:
    """(name, value, real flag, source) of every parameter, for the book's appendix."""
    params = params or Params()
    return [(f.name, getattr(params, f.name), f.metadata["flag"], f.metadata["source"]) for f in fields(params)]
