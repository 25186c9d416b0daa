"""The story in which it matters how a cloud's balancer asks: a node falls silent, and comes back."""

from typing import Any

from tests.params.tales import WEB

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: door}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""
CLOUD = {
    "title": "t",
    "topology": {"kind": "single", "workers": 2, "cloud": True},
    "manifests": WEB.replace("REPLICAS", "1") + "---" + SERVICE,
    "faults": [["20s", "power_off", "worker-2"], ["60s", "power_on", "worker-2"]],
    "until": "90s",
}
CLOUD_MATTERS: dict[str, Any] = {
    "cloud_check_interval": "5s",
    "cloud_check_timeout": "2s",
    "cloud_check_healthy": 2,
    "cloud_check_unhealthy": 2,
    "proxy_sync_period": ("10s", {"iptables_min_sync_period": "200s"}),
}
