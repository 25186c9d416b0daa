"""The periods and limits of what carries packets and names, load balancers too: a part of `params.Params`.

Sources are named without addresses so that the book works offline.
"""

from dataclasses import dataclass

from kubemini.etcdparams import EtcdParams, flag
from kubemini.ranges import Choice, Count, Duration, Interval, Networks, Span, Switch
from kubemini.sim.units import DAY, HOUR, MS, SECOND, US


@dataclass(frozen=True, slots=True)
class NetworkParams(EtcdParams):
    """The defaults of the pinned versions."""

    # addresses
    service_cluster_ip_range: tuple[str, ...] = flag(
        ("10.96.0.0/12",), Networks(), "--service-cluster-ip-range", "kubeadm defaults_cluster.go: serviceSubnet"
    )
    cluster_cidr: tuple[str, ...] = flag(
        ("10.244.0.0/16",), Networks(), "--cluster-cidr", "flannel's kube-flannel.yml: what kubeadm's users give"
    )
    node_cidr_mask_size_ipv6: int = flag(
        64, Count(16, 124), "--node-cidr-mask-size-ipv6", "kube-controller-manager 1.37"
    )
    endpoint_reconciler_type: str = flag(
        "none",
        Choice(("none", "lease")),
        "--endpoint-reconciler-type",
        "kube-apiserver 1.37 has lease; ours spares stories the Service kubernetes, which names their API servers",
    )
    endpoint_reconciler_interval: int = flag(
        10 * SECOND, Duration(SECOND, HOUR), "DefaultEndpointReconcilerInterval", "k/k pkg/controlplane/instance.go"
    )
    endpoint_reconciler_ttl: int = flag(
        15 * SECOND, Duration(2 * SECOND, HOUR), "DefaultEndpointReconcilerTTL", "k/k pkg/controlplane/instance.go"
    )
    service_cidr_controller: bool = flag(
        False,
        Switch(),
        "--controllers=service-cidr-controller",
        "kube-controller-manager 1.37 has it on; ours spares stories without a ServiceCIDR of their own its watches",
    )
    service_node_port_range: tuple[int, int] = flag(
        (30_000, 32_767), Interval(1, 65_535), "--service-node-port-range", "kube-apiserver 1.37"
    )

    # EndpointSlices
    max_endpoints_per_slice: int = flag(
        100, Count(1, 1000), "--max-endpoints-per-slice", "kube-controller-manager 1.37"
    )
    endpointslice_updates_batch_period: int = flag(
        0,
        Duration(0, HOUR),
        "--endpointslice-updates-batch-period, --endpoint-updates-batch-period",
        "kube-controller-manager 1.37; how long changes of pods are gathered",
    )

    # kube-proxy
    proxy_mode: str = flag("iptables", Choice(("iptables", "nftables")), "mode", "KubeProxyConfiguration 1.37")
    iptables_min_sync_period: int = flag(
        1 * SECOND, Duration(0, HOUR), "iptables.minSyncPeriod", "KubeProxyConfiguration 1.37"
    )
    proxy_sync_period: int = flag(
        30 * SECOND, Duration(SECOND, HOUR), "iptables.syncPeriod; late after two", "KubeProxyConfiguration 1.37"
    )
    iptables_restore: tuple[int, int] = flag(
        (10 * MS, 40 * MS), Span(Duration(US, HOUR)), "time iptables-restore takes", "ours: a small cluster"
    )

    # kube-network-policies
    policy_sync_interval: int = flag(
        1 * SECOND, Duration(0, HOUR), "minInterval of syncs", "kube-network-policies 1.1.0 dataplane/controller.go"
    )
    policy_check_interval: int = flag(
        30 * SECOND,
        Duration(0, HOUR),
        "minInterval of looks at connections",
        "kube-network-policies 1.1.0 dataplane/controller.go",
    )
    policy_strict_mode: bool = flag(
        False, Switch(), "--strict-mode", "kube-network-policies 1.1.0 has it on; most data planes know no such thing"
    )

    # an ingress controller
    ingress_sync_interval: int = flag(
        3333 * MS, Duration(0, HOUR), "1 / --sync-rate-limit (0.3 a second)", "ingress-nginx 1.15 cmd/nginx/flags.go"
    )
    ingress_reload: tuple[int, int] = flag(
        (200 * MS, 800 * MS), Span(Duration(US, HOUR)), "time a reload of nginx takes", "ours: a small configuration"
    )
    ingress_connect_timeout: int = flag(
        5 * SECOND, Duration(MS, DAY), "proxy-connect-timeout", "ingress-nginx 1.15 ConfigMap"
    )
    ingress_tries: int = flag(3, Count(1, 100), "proxy-next-upstream-tries", "ingress-nginx 1.15 ConfigMap")

    # a cloud's load balancer
    cloud_check_interval: int = flag(
        8 * SECOND, Duration(100 * MS, HOUR), "CheckIntervalSec", "cloud-provider-gcp gceHcCheckIntervalSeconds"
    )
    cloud_check_timeout: int = flag(
        1 * SECOND, Duration(MS, HOUR), "TimeoutSec", "cloud-provider-gcp gceHcTimeoutSeconds"
    )
    cloud_check_healthy: int = flag(1, Count(1, 100), "HealthyThreshold", "cloud-provider-gcp gceHcHealthyThreshold")
    cloud_check_unhealthy: int = flag(
        3, Count(1, 100), "UnhealthyThreshold", "cloud-provider-gcp gceHcUnhealthyThreshold"
    )

    # CoreDNS
    coredns_startup_timeout: int = flag(5 * SECOND, Duration(0, HOUR), "startup_timeout", "coredns plugin/kubernetes")
    coredns_forward_timeout: int = flag(2 * SECOND, Duration(MS, HOUR), "readTimeout", "coredns 1.15 plugin/forward")
    coredns_forward_tries: int = flag(2, Count(1, 100), "max_connect_attempts", "coredns 1.15 plugin/forward")
    coredns_reload: tuple[int, int] = flag(
        (30 * SECOND, 45 * SECOND), Span(Duration(SECOND, DAY)), "reload [INTERVAL] [JITTER]", "coredns plugin/reload"
    )

    # load balancer
    haproxy_inter: int = flag(2 * SECOND, Duration(MS, HOUR, "ms", MS), "inter", "HAProxy 2.6 configuration manual")
    haproxy_rise: int = flag(2, Count(1, 1000), "rise", "HAProxy 2.6 configuration manual")
    haproxy_fall: int = flag(3, Count(1, 1000), "fall", "HAProxy 2.6 configuration manual")
    haproxy_connect_timeout: int = flag(
        5 * SECOND, Duration(MS, HOUR, "ms", MS), "timeout connect", "kubeadm ha-considerations.md"
    )
    haproxy_turnaround: int = flag(
        1 * SECOND, Duration(0, HOUR), "pause before the same server again", "HAProxy 2.6: min(connect, 1 s)"
    )
    haproxy_client_timeout: int = flag(
        35 * SECOND, Duration(MS, DAY, "ms", MS), "timeout client", "kubeadm ha-considerations.md"
    )
    haproxy_server_timeout: int = flag(
        35 * SECOND, Duration(MS, DAY, "ms", MS), "timeout server", "kubeadm ha-considerations.md"
    )
    haproxy_check_timeout: int = flag(
        10 * SECOND, Duration(MS, DAY, "ms", MS), "timeout check", "kubeadm ha-considerations.md"
    )
    haproxy_retries: int = flag(1, Count(0, 100), "retries", "kubeadm ha-considerations.md (HAProxy's default: 3)")
    haproxy_redispatch: bool = flag(
        True, Switch(), "option redispatch", "kubeadm ha-considerations.md (HAProxy's default: off)"
    )
    haproxy_balance: str = flag(
        "roundrobin",
        Choice(("roundrobin", "leastconn")),
        "balance roundrobin|leastconn",
        "kubeadm ha-considerations.md",
    )
    keepalived_priority: int = flag(
        101, Count(1, 254), "priority, of the first balancer", "kubeadm ha-considerations.md"
    )
    keepalived_backup_priority: int = flag(
        100, Count(1, 254), "priority, of the second balancer", "kubeadm ha-considerations.md"
    )
    keepalived_advert_int: int = flag(
        1 * SECOND, Duration(SECOND, 255 * SECOND, "s", SECOND), "advert_int", "keepalived 2.2 vrrp_parser.c"
    )
    keepalived_nopreempt: bool = flag(False, Switch(), "nopreempt", "keepalived 2.2 vrrp_parser.c")
    keepalived_garp_master_delay: int = flag(
        5 * SECOND, Duration(SECOND, HOUR, "s", SECOND), "garp_master_delay", "keepalived 2.2 global_data.c"
    )
    keepalived_check_interval: int = flag(
        3 * SECOND, Duration(SECOND, DAY, "s", SECOND), "vrrp_script interval", "kubeadm ha-considerations.md"
    )
    keepalived_check_timeout: int = flag(
        2 * SECOND, Duration(MS, HOUR), "curl --max-time in check_apiserver.sh", "kubeadm ha-considerations.md"
    )
    keepalived_fall: int = flag(10, Count(1, 1000), "vrrp_script fall", "kubeadm ha-considerations.md")
    keepalived_rise: int = flag(2, Count(1, 1000), "vrrp_script rise", "kubeadm ha-considerations.md")
    keepalived_weight: int = flag(
        -2, Count(-253, -1), "vrrp_script weight, of a failing check", "kubeadm ha-considerations.md"
    )
    haproxy_check: str = flag(
        "http",
        Choice(("http", "ssl-hello", "tcp")),
        "option httpchk (http), option ssl-hello-chk, or a plain connect (tcp)",
        "kubeadm ha-considerations.md",
    )
