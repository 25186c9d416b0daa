"""Small stories in which a parameter matters: story → parameter → another value, written as in a scenario's file.

`others`: what else must be set for the parameter to matter, in both tellings. A story is a scenario, or a function
from `Params` to the records of a run.
"""

from collections.abc import Callable
from typing import Any

from kubemini.cluster import Cluster, build
from kubemini.etcd.server.member import Member
from kubemini.host import Host
from kubemini.params import Params
from tests.params.pair import PAIR, PAIR_MATTERS
from tests.worlds.quiet import Client

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, annotations: ANNOTATIONS}
spec: {containers: [{name: c, image: app, EXTRA}]}
"""


def pod(name: str, annotations: str = "{}", extra: str = "") -> str:
    return POD.replace("NAME", name).replace("ANNOTATIONS", annotations).replace("EXTRA", extra)


def etcd(until: int, *faults: list, spares: int = 0, **load: Any) -> dict[str, Any]:
    """Three members, a write a second, and *faults*."""
    writes = {"every": "1s", **load}
    topology = {"kind": "etcd", "members": 3, "spares": spares}
    return {
        "title": "t",
        "topology": topology,
        "workload": {"etcd_writes": writes},
        "faults": list(faults),
        "until": f"{until}s",
    }


def shop(
    until: int, *faults: list, replicas: int = 2, kind: str = "single", more: str = "", **sizes: Any
) -> dict[str, Any]:
    """A Deployment behind a Service, visitors, and a write a second."""
    workload = {"visitors": {"service": "web", "every": "500ms"}, "api_writes": {"every": "1s"}}
    manifests = "---".join([WEB.replace("REPLICAS", str(replicas)), *([more] if more else [])])
    topology = {"kind": kind, "workers": 1, **sizes}
    return {
        "title": "t",
        "topology": topology,
        "manifests": manifests,
        "workload": workload,
        "faults": list(faults),
        "until": f"{until}s",
    }


def asked(params: Params) -> list:
    """Everything that a client can ask of three members, one of which is the leader, and dies."""
    cluster = Cluster(build("etcd", members=3, spares=1), 1, params)
    client = Client(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    client.start()
    cluster.run("5s")
    members = [m for m in cluster.components.values() if isinstance(m, Member) and m.up]
    leader = next(m for m in members if m.raft.role == "leader")
    first, second = (m.name for m in members if m is not leader)
    for number in range(30):
        client.ask(first, "put", {"key": f"key-{number}", "value": "v"})
    client.ask(first, "put", {"key": "long", "value": "x" * 1_700_000})
    puts = [{"request_put": {"key": f"txn-{n}", "value": "v"}} for n in range(3)]
    client.ask(first, "txn", {"compare": [], "success": puts, "failure": []})
    client.ask(first, "lease_grant", {"ID": 7, "TTL": 60})
    client.ask(first, "lease_grant", {"ID": 8, "TTL": 2})
    client.ask(first, "put", {"key": "leased", "value": "v", "lease": 8})
    for extra in ({"progress_notify": True}, {"require_leader": True}):
        client.listen(first, "watch", {"key": "k", **extra})
    cluster.run("8s")
    leader.crash()
    client.ask(first, "lease_keepalive", {"ID": 7})
    client.ask(second, "range", {"key": "key-1"})
    cluster.run("4s")
    cluster.components[second].crash()
    cluster.run("20s")
    return cluster.trace.records


def old_watch(params: Params) -> list:
    """Somebody watches from a revision of long ago, after many have followed."""
    cluster = Cluster.single(workers=1, params=params)
    client = Client(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    client.start()
    cluster.prepare("", {"api_writes": {"every": "50ms"}})
    cluster.run("5s")
    for revision in ("", "100"):
        path, query = "/api/v1/namespaces/default/configmaps", {"resourceVersion": revision} if revision else {}
        request = {"verb": "GET", "path": path, "query": query, "body": None, "user": "kubernetes-admin"}
        client.listen("apiserver-1", "watch", request)
        cluster.run("15s")
    return cluster.trace.records


def node_deleted(params: Params) -> list:
    """A Node object is deleted while its machine is off: its pods belong to nobody."""
    cluster = Cluster.single(workers=2, params=params)
    cluster.apply(WEB.replace("REPLICAS", "3"))
    cluster.run("12s")
    cluster.hosts["worker-2"].power_off()
    cluster.user.delete("node", "worker-2")
    cluster.run("70s")
    return cluster.trace.records


def orphan(params: Params) -> list:
    """A pod is deleted at once while its kubelet is away, and its program does not care for SIGTERM."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.apply(pod("stubborn", '{kubemini.io/stop-after: "10m"}'))
    cluster.run("12s")
    kubelet, user = cluster.components["kubelet@worker-1"], cluster.user
    kubelet.crash()
    user.spawn(user.request("DELETE", "/api/v1/namespaces/default/pods/stubborn", {"gracePeriodSeconds": 0}))
    cluster.run("2s")
    kubelet.start()
    cluster.run("40s")
    return cluster.trace.records


def lagging(params: Params) -> list:
    """A controller sees no pods any more, though it is told of its ReplicaSet."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.apply(WEB.replace("REPLICAS", "2"))
    cluster.run("12s")
    manager = cluster.components["controller-manager-1"]
    served = cluster.components["apiserver-1"].rpc.open.items()
    (pods,) = [id for (who, id), call in served if who == manager.name and call.payload["path"] == "/api/v1/pods"]
    manager.client.transport.connection.streams[pods].on_item = lambda item: None
    for replicas in (5, 6):
        cluster.user.scale("web", replicas)
        cluster.run("5s")
    return cluster.trace.records


def ghost(params: Params) -> list:
    """A Node object that no machine stands behind."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.run("5s")
    cluster.user.apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ghost"}}])
    cluster.run("65s")
    return cluster.trace.records


Story = dict[str, Any] | Callable[[Params], list]
ZONE = shop(150, *(["12s", "power_off", f"worker-{n}"] for n in (1, 2, 3)), replicas=8, workers=5)
SILENT = shop(
    125, ["12s", "power_off", "worker-2"], ["90s", "power_on", "worker-2"], replicas=3, workers=2, more=pod("p")
)
FROZEN_ETCD = shop(70, ["12s", "pause", "etcd-1"], ["50s", "resume", "etcd-1"])
TWICE = [("12s", "pause"), ("22s", "resume"), ("48s", "pause"), ("70s", "resume")]
BALANCED = {"kind": "stacked", "members": 3}

STORIES: dict[str, Story] = {
    "an election": etcd(16, ["5s", "crash", "etcd-1"], ["9s", "restart", "etcd-1"]),
    "a leader cut off": etcd(
        16, *(["6s", "cut", f"etcd-host-{n}"] for n in (1, 2, 3)), ["9s", "heal"], ["10s", "cut", "etcd-host-2"]
    ),
    "a full database": etcd(10, every="200ms", size=500_000),
    "a lossy link": etcd(30, ["5s", "loss", "etcd-host-1,etcd-host-2,etcd-host-3,client-1", "client-1", 0.5]),
    "a lagging member": etcd(
        30,
        ["5s", "crash", "etcd-2"],
        ["12s", "loss", "etcd-host-1,etcd-host-3", "etcd-host-2", 0.8],
        ["12s", "restart", "etcd-2"],
        ["25s", "loss", "etcd-host-1,etcd-host-3", "etcd-host-2", 0],
        every="100ms",
    ),
    "new members": etcd(
        25, ["6s", "member_add", "etcd-4", "learner"], ["9s", "member_add", "etcd-5", "learner"], spares=2
    ),
    "the leader removed": etcd(12, ["6s", "member_remove", "etcd-1"], ["6003ms", "cut", "etcd-host-1"]),
    "the leader ends": etcd(8, ["6s", "stop", "etcd-1"], ["6s", "stop", "etcd-2"], ["6s", "stop", "etcd-3"]),
    "added too early": etcd(
        14, ["6s", "crash", "etcd-2"], ["7s", "restart", "etcd-2"], ["8s", "member_add", "etcd-4"], spares=1
    ),
    "added in a cut": etcd(14, ["6s", "cut", "etcd-host-2"], ["8s", "member_add", "etcd-4"], spares=1),
    "a newcomer asks": etcd(20, ["6s", "member_add", "etcd-4"], ["6003ms", "pause", "etcd-1"], spares=1),
    "etcd, asked": asked,
    "an old watch": old_watch,
    "a node deleted": node_deleted,
    "a shop": shop(25, ["15s", "scale", "web", 1]),
    "two outages": shop(
        110,
        ["12s", "crash", "apiserver-1"],
        ["13s", "crash", "kubelet@worker-1"],
        ["25s", "restart", "apiserver-1"],
        ["40s", "crash", "apiserver-1"],
        ["41s", "restart", "kubelet@worker-1"],
        ["60s", "restart", "apiserver-1"],
        ["61s", "scale", "web", 5],
    ),
    "etcd hangs": FROZEN_ETCD,
    "a node without a kubelet": ghost,
    "a pod without a kubelet": orphan,
    "a node cut off": shop(100, ["12s", "cut", "worker-2"], ["75s", "heal"], workers=2),
    "many Deployments": shop(
        12, more="---".join(WEB.replace("REPLICAS", "2").replace("web", f"web-{n}") for n in "abcdef")
    ),
    "programs end while the API is away": shop(
        60,
        ["14s", "crash", "apiserver-1"],
        ["30s", "restart", "apiserver-1"],
        more=pod("short", '{kubemini.io/exit-after: "6s"}'),
    ),
    "a crash loop": shop(90, more=pod("short", '{kubemini.io/exit-after: "2s"}')),
    "no room": shop(
        60, ["10s", "scale", "web", 3], more=pod("huge", extra="resources: {requests: {cpu: 100}}"), replicas=1
    ),
    "two balancers": PAIR,
    "a balancer": shop(
        60,
        ["14s", "crash", "apiserver-1"],
        ["24s", "restart", "apiserver-1"],
        ["30s", "pause", "apiserver-2"],
        ["45s", "resume", "apiserver-2"],
        **BALANCED,
    ),
    "a member hangs": shop(40, ["14s", "pause", "etcd-3"], ["28s", "resume", "etcd-3"], **BALANCED),
    "a host without power": shop(
        90, ["12s", "power_off", "cp-1"], ["60s", "power_on", "cp-1"], members=3, kind="stacked"
    ),
    "etcd without a leader": shop(
        130,
        *(["12s", "pause", f"etcd-{n}"] for n in (2, 3)),
        *(["80s", "resume", f"etcd-{n}"] for n in (2, 3)),
        members=3,
        kind="stacked",
    ),
    "a lagging cache": lagging,
    "the API goes in the middle": shop(
        40, ["11995ms", "scale", "web", 6], ["12s", "crash", "apiserver-1"], ["22s", "restart", "apiserver-1"]
    ),
    "the API goes while pods are bound": shop(
        40, ["11985ms", "scale", "web", 6], ["12s", "crash", "apiserver-1"], ["22s", "restart", "apiserver-1"]
    ),
    "history compacted in a cut": shop(
        80,
        ["12s", "cut", "cp-1", "etcd-host-1,etcd-host-2,etcd-host-3"],
        ["40s", "compact"],
        ["60s", "heal"],
        kind="external",
        api_servers=2,
        etcd_members=3,
    ),
    "twice without a leader": shop(
        100,
        *([at, deed, f"etcd-{n}"] for at, deed in TWICE for n in (2, 3)),
        members=3,
        kind="stacked",
    ),
    "a silent node": SILENT,
    "a silent zone": ZONE,
}

# story → parameter → another value, or (another value, what else must be set)
MATTERS: dict[str, dict[str, Any]] = {
    "an election": {
        "network_latency": ["1ms", "2ms"],
        "disk_fsync": ["1ms", "2ms"],
        "etcd_heartbeat_interval": "50ms",
        "etcd_election_timeout": "2s",
        "etcd_pre_vote": False,
        "etcd_peer_check": "1s",
        "etcdctl_command_timeout": "1ms",
    },
    "a leader cut off": {"etcd_check_quorum": False},
    "a full database": {"etcd_quota_backend_bytes": "2MiB"},
    "a lossy link": {"tcp_retransmission_timeout": "400ms"},
    "a lagging member": {
        "etcd_snapshot_count": (10, {"etcd_snapshot_catchup_entries": 5}),
        "etcd_snapshot_catchup_entries": ("3", {"etcd_snapshot_count": 10}),
        "etcd_snapshot_send_timeout": ("10s", {"etcd_snapshot_count": 10, "etcd_snapshot_catchup_entries": 5}),
    },
    "new members": {"etcd_max_learners": 2},
    "the leader removed": {"etcd_removal_delay": "3s"},
    "the leader ends": {"etcd_peer_close_timeout": "300ms"},
    "added too early": {"etcd_health_interval": "500ms"},
    "added in a cut": {"etcd_peer_read_timeout": "1s"},
    "a newcomer asks": {"etcd_join_timeout": "500ms"},
    "etcd, asked": {
        "etcd_max_request_bytes": "4MiB",
        "etcd_grpc_overhead_bytes": 0,
        "etcd_max_txn_ops": 2,
        "etcd_lease_expiry_check": "5s",
        "etcd_lease_forward_pause": "900ms",
        "etcd_read_index_retry": "900ms",
        "etcd_max_no_leader": 5,
        "etcd_watch_progress_interval": "3s",
    },
    "an old watch": {"watch_cache_history": "2s"},
    "a node deleted": {"pod_gc_quarantine": "10s"},
    "a shop": {
        "loopback_latency": ["100us", "200us"],
        "etcd_client_retry_pause": "100ms",
        "api_request_work": "3ms",
        "leader_elect_retry_period": "1s",
        "leader_elect_jitter": 0.5,
        "node_lease_duration": 20,
        "pod_start": ["2s", "3s"],
        "pod_stop": ["1s", "2s"],
        "iptables_min_sync_period": "3s",
        "iptables_restore": ["100ms", "200ms"],
        "watch_bookmark_period": "5s",
    },
    "two outages": {
        "etcd_readycheck_timeout": "1s",
        "leader_elect_renew_deadline": "5s",
        "restart_policy": "Never",
        "node_register_backoff": ["300ms", "1s"],
        "reflector_backoff": ["2s", "3s"],
        "reflector_backoff_reset": "1s",
    },
    "etcd hangs": {
        "request_timeout": "5s",
        "write_request_timeout": "5s",
        "kubectl_request_timeout": "3s",
    },
    "a pod without a kubelet": {"termination_grace_period": (5, {"pod_stop": ["20s", "25s"]})},
    "a node without a kubelet": {"node_startup_grace_period": "5s"},
    "a node cut off": {
        "node_status_update_frequency": "3s",
        "dial_timeout": "2s",
        "http2_ping_timeout": 5,
        "http2_read_idle_timeout": 10,
    },
    "a member hangs": {"haproxy_check_timeout": "1s"},
    "many Deployments": {"concurrent_syncs": 1},
    "programs end while the API is away": {"pod_status_sync": "1s"},
    "a crash loop": {"crash_loop_backoff": ["2s", "5s"]},
    "no room": {
        "scheduler_unschedulable_flush": "20s",
    },
    "two balancers": PAIR_MATTERS,
    "a balancer": {
        "haproxy_inter": "1s",
        "haproxy_rise": 5,
        "haproxy_fall": 1,
        "haproxy_turnaround": ("3s", {"haproxy_redispatch": False}),
        "haproxy_client_timeout": "3s",
        "haproxy_server_timeout": "3s",
        "haproxy_retries": 0,
        "haproxy_redispatch": False,
        "haproxy_balance": "leastconn",
        "haproxy_check": "tcp",
        "tls_handshake_timeout": "3s",
        "goaway_chance": 0.02,
        "leader_elect_lease_duration": "12s",
    },
    "a host without power": {"haproxy_connect_timeout": "3s"},
    "etcd without a leader": {"watch_cache_patience": "10s", "watch_cache_redial": "2s"},
    "twice without a leader": {"watch_cache_forgiven": "1s"},
    "history compacted in a cut": {"watch_cache_retry": "5s"},
    "the API goes in the middle": {"workqueue_backoff": ["1s", "2s"]},
    "the API goes while pods are bound": {"scheduler_backoff": [3, 8]},
    "a lagging cache": {"expectations_timeout": "1s"},
    "a silent node": {
        "node_status_report_frequency": "20s",
        "node_monitor_period": "2s",
        "node_monitor_work": "2s",
        "node_monitor_grace_period": "20s",
        "toleration_seconds": 10,
        "visitor_timeout": "3s",
    },
    "a silent zone": {
        "unhealthy_zone_threshold": 0.9,
        "large_cluster_size_threshold": 2,
        "node_eviction_rate": (0.02, {"unhealthy_zone_threshold": 0.9}),
        "secondary_node_eviction_rate": (1, {"large_cluster_size_threshold": 2}),
    },
}
