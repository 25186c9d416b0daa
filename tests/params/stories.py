"""Small stories in which a parameter matters: story → parameter → another value, written as in a scenario's file.

`others`: what else must be set for the parameter to matter, in both tellings. A story is a scenario, or a function
from `Params` to the records of a run.
"""

from collections.abc import Callable
from typing import Any

from kubemini.params import Params
from tests.params.clouds import CLOUD, CLOUD_MATTERS
from tests.params.names import ANOTHER_COREFILE, NOBODY_OUTSIDE, ORPHANS
from tests.params.pair import PAIR, PAIR_MATTERS
from tests.params.policies import KEPT, KEPT_MATTERS
from tests.params.tales import (
    BOTH,
    WEB,
    a_quota,
    an_autoscaler,
    an_ingress,
    asked,
    by_a_door,
    claims,
    etcd,
    forbidden,
    future_list,
    ghost,
    lagging,
    node_deleted,
    old_watch,
    pod,
    pods_ended,
    shop,
)

Story = dict[str, Any] | Callable[[Params], list]
ZONE = shop(150, *(["12s", "power_off", f"worker-{n}"] for n in (1, 2, 3)), replicas=8, workers=5)
ECHO = pod("echo").replace("image: app", "image: busybox, args: [sh, -c, 'sleep 5; exit 3']")
SILENT = shop(
    125, ["12s", "power_off", "worker-2"], ["90s", "power_on", "worker-2"], replicas=3, workers=2, more=pod("p")
)
FROZEN_ETCD = shop(70, ["12s", "pause", "etcd-1"], ["50s", "resume", "etcd-1"])
TWICE = [("12s", "pause"), ("22s", "resume"), ("48s", "pause"), ("70s", "resume")]
WATCHERS = ("scheduler-1", "controller-manager-1", "kubelet@worker-1", "kube-proxy@worker-1")
SERVICES, PODS = "10.96.0.0/16,fd00:96::/112", "10.244.0.0/16,fd00:244::/48"
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
    "the leader removed": etcd(12, ["6s", "member_remove", "etcd-1"], ["6005ms", "cut", "etcd-host-1"]),
    "the leader ends": etcd(8, ["6s", "stop", "etcd-1"], ["6s", "stop", "etcd-2"], ["6s", "stop", "etcd-3"]),
    "added too early": etcd(
        14, ["6s", "crash", "etcd-2"], ["7s", "restart", "etcd-2"], ["8s", "member_add", "etcd-4"], spares=1
    ),
    "all begin anew": etcd(
        16,
        *(["5s", "crash", f"etcd-{n}"] for n in (1, 2, 3)),
        ["6s", "restart", "etcd-1"],
        *(["9s", "restart", f"etcd-{n}"] for n in (2, 3)),
    ),
    "a newcomer asks": etcd(20, ["6s", "member_add", "etcd-4"], ["6003ms", "pause", "etcd-1"], spares=1),
    "etcd, asked": asked,
    "an old watch": old_watch,
    "a list of the future": future_list,
    "a node deleted": node_deleted,
    "pods that have ended": pods_ended,
    "a shop": shop(25, ["15s", "scale", "web", 1]),
    "many pods at once": shop(14, replicas=40),
    "an ingress": an_ingress,
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
    "a quota": a_quota,
    "a quota forbids": forbidden,
    "a claim": claims,
    "an autoscaler": an_autoscaler,
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
    "a program that ends": shop(25, more=ECHO),
    "a crash loop": shop(90, more=pod("short", '{kubemini.io/exit-after: "2s"}')),
    "no room": shop(
        60, ["10s", "scale", "web", 3], more=pod("huge", extra="resources: {requests: {cpu: 100}}"), replicas=1
    ),
    "two balancers": PAIR,
    "a cloud's balancer": CLOUD,
    "a connection that is kept": KEPT,
    "names without an API server": ORPHANS,
    "nobody outside": NOBODY_OUTSIDE,
    "another Corefile": ANOTHER_COREFILE,
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
        40, ["11995ms", "scale", "web", 6], ["12s", "crash", "apiserver-1"], ["14s", "restart", "apiserver-1"]
    ),
    "the API goes while pods are bound": shop(
        40, ["11990ms", "scale", "web", 6], ["12s", "crash", "apiserver-1"], ["22s", "restart", "apiserver-1"]
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
    "etcd is gone for a while": shop(45, ["12s", "crash", "etcd-1"], ["24s", "restart", "etcd-1"]),
    "an API server ends": shop(30, ["12s", "stop", "apiserver-1"]),
    "an API server ends alone": shop(
        20, *(["10s", "crash", name] for name in WATCHERS), ["12s", "stop", "apiserver-1"]
    ),
    "a long cut": etcd(25, ["6s", "cut", "etcd-host-2"], ["13s", "heal"], every="100ms"),
    "both families": shop(15, more=BOTH),
    "five behind a Service": shop(15, replicas=5),
    "five pods lose their owner": shop(20, ["12s", "delete", "Deployment", "web"], replicas=5),
    "no endpoint behind an external IP": by_a_door(25, ["15s", "scale", "web", 0]),
    "a silent node": SILENT,
    "a silent zone": ZONE,
}

# story → parameter → another value, or (another value, what else must be set)
MATTERS: dict[str, dict[str, Any]] = {
    "no endpoint behind an external IP": {"proxy_mode": "nftables", "service_node_port_range": "31000-32767"},
    "five pods lose their owner": {"concurrent_gc_syncs": 1},
    "five behind a Service": {"max_endpoints_per_slice": 2, "endpointslice_updates_batch_period": "2s"},
    "both families": {
        "service_cluster_ip_range": SERVICES,
        "cluster_cidr": (PODS, {"service_cluster_ip_range": SERVICES}),
        "node_cidr_mask_size_ipv6": (60, {"service_cluster_ip_range": SERVICES, "cluster_cidr": PODS}),
    },
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
    "all begin anew": {"etcd_peer_read_timeout": "1s"},
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
    "a list of the future": {"watch_cache_block_timeout": "1s"},
    "a node deleted": {"pod_gc_quarantine": "10s", "pod_gc_period": "7s"},
    "pods that have ended": {"terminated_pod_gc_threshold": 1},
    "an ingress": {
        "ingress_sync_interval": "5s",
        "ingress_reload": ["1s", "2s"],
        "ingress_connect_timeout": ("1s", {"ingress_tries": 1}),
        "ingress_tries": 1,
    },
    "a shop": {
        "service_cidr_controller": True,
        "endpoint_reconciler_type": "lease",
        "endpoint_reconciler_interval": ("3s", {"endpoint_reconciler_type": "lease"}),
        "all_controllers": True,
        "record_events": True,
        "kubelet_details": True,
        "kubelet_service_links": True,
        "loopback_latency": ["100us", "200us"],
        "apiserver_boot": ["2s", "3s"],
        "apiserver_sync": ["1s", "2s"],
        "bootstrap_poll": "3s",
        "bootstrap_roles": ["1s", "2s"],
        "api_request_work": "3ms",
        "http2_max_streams": 2,
        "leader_elect_retry_period": "1s",
        "leader_elect_jitter": 0.5,
        "node_lease_duration": 20,
        "node_cidr_mask_size": 28,
        "pod_start": ["2s", "3s"],
        "pod_stop": ["1s", "2s"],
        "iptables_min_sync_period": "3s",
        "iptables_restore": ["100ms", "200ms"],
        "watch_bookmark_period": "5s",
    },
    "two outages": {
        "endpoint_reconciler_ttl": ("5s", {"endpoint_reconciler_type": "lease"}),
        "etcd_readycheck_timeout": "1s",
        "leader_elect_renew_deadline": "5s",
        "restart_policy": "Never",
        "close_up": "replicaset-controller",
        "node_register_backoff": ["300ms", "1s"],
        "reflector_backoff": ["2s", "3s"],
        "reflector_backoff_reset": "1s",
    },
    "etcd hangs": {
        "request_timeout": "5s",
        "write_request_timeout": "5s",
        "kubectl_request_timeout": "3s",
        "etcd_client_keepalive_time": "5s",
        "etcd_client_keepalive_timeout": "3s",
        "grpc_min_connect_timeout": ("2s", {"etcd_client_keepalive_time": "5s"}),
    },
    "a quota forbids": {"min_resync_period": ("5s", {"all_controllers": True})},
    "many pods at once": {"kube_api_qps": 100, "kube_api_burst": 10},
    "a quota": {"resource_quota_sync_period": ("10s", {"all_controllers": True})},
    "an autoscaler": {
        "horizontal_pod_autoscaler_sync_period": ("20s", {"all_controllers": True}),
        "horizontal_pod_autoscaler_downscale_stabilization": ("30s", {"all_controllers": True}),
        "horizontal_pod_autoscaler_tolerance": (0.05, {"all_controllers": True}),
        "horizontal_pod_autoscaler_cpu_initialization_period": ("0s", {"all_controllers": True}),
        "horizontal_pod_autoscaler_initial_readiness_delay": (
            "5m",
            {"all_controllers": True, "horizontal_pod_autoscaler_cpu_initialization_period": "1s"},
        ),
    },
    "a claim": {"pvclaimbinder_sync_period": ("3s", {"all_controllers": True})},
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
    "a program that ends": {"program_start": ("3s", {"kubelet_details": True})},
    "a crash loop": {"crash_loop_backoff": ["2s", "5s"]},
    "no room": {
        "scheduler_unschedulable_flush": "20s",
    },
    "two balancers": PAIR_MATTERS,
    "a cloud's balancer": CLOUD_MATTERS,
    "a connection that is kept": KEPT_MATTERS,
    "names without an API server": {"coredns_startup_timeout": "12s"},
    "nobody outside": {"coredns_forward_timeout": "300ms", "coredns_forward_tries": 1},
    "another Corefile": {"coredns_reload": ["10s", "12s"]},
    "a balancer": {
        "client_max_retries": 0,
        "client_retry_after": "3s",
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
    "etcd without a leader": {
        "watch_cache_patience": "10s",
        "watch_cache_redial": "2s",
        "etcd_client_retry_pause": "900ms",
    },
    "etcd is gone for a while": {
        "grpc_backoff": ["1s", "3s"],
        "grpc_backoff_multiplier": 3,
        "grpc_backoff_jitter": 0,
    },
    "an API server ends": {"shutdown_delay_duration": "3s"},
    "an API server ends alone": {"http2_goaway_timeout": "3s"},
    "a long cut": {
        "etcd_stream_buffer": 2,
        "etcd_peer_write_timeout": ("9s", {"tcp_send_buffer": 10}),
        "tcp_send_buffer": 10,
    },
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
