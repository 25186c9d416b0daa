"""The range of a worker's pods: its own share of the cluster's, as its Node says, kept on disk."""

import pytest

from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.sim import Sim


@pytest.mark.parametrize(
    ("name", "mask", "block"),
    [
        ("worker-3", 24, "10.244.3.0/24"),
        ("worker-3", 29, "10.244.0.24/29"),
        ("worker-40", 29, "10.244.1.64/29"),
        ("host", 24, "10.244.0.0/24"),
        ("worker-3", 64, "fd00:244:0:3::/64"),
        ("worker-10", 60, "fd00:244:0:a0::/60"),
    ],
)
def test_worker_n_is_due_the_nth_block(name, mask, block):
    cluster = "fd00:244::/48" if ":" in block else "10.244.0.0/16"
    assert podnetwork.block(Host(Sim(), name), mask, cluster) == block


def test_what_the_node_says_is_remembered_on_disk():
    host = Host(Sim(), "worker-3")
    assert podnetwork.pod_cidrs(host) == ["10.244.3.0/24"]
    podnetwork.assign(host, ["10.244.9.0/26", "fd00:9::/64"])
    host.power_off()
    host.power_on()
    assert podnetwork.pod_cidrs(host) == ["10.244.9.0/26", "fd00:9::/64"]
