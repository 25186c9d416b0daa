"""The story in which a data plane's second look at connections matters: one is kept when a policy forbids it."""

from typing import Any

from tests.params.tales import WEB

DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
IDLE = DENY.replace("deny", "idle").replace("{}", "{matchLabels: {app: nobody}}")
KEPT = {
    "title": "t",
    "topology": {"kind": "single", "workers": 1, "policies": True, "callers": True},
    "manifests": "---".join(WEB.replace("REPLICAS", "1").replace("web", name) for name in ("web", "api")),
    "workload": {"callers": {"pods": "web", "services": "api", "every": "1s", "keep": True}},
    "faults": [["12s", "apply", IDLE], ["12500ms", "apply", DENY]],
    "until": "50s",
}
KEPT_MATTERS: dict[str, Any] = {
    "policy_strict_mode": True,
    "policy_sync_interval": "5s",
    "policy_check_interval": ("2s", {"policy_strict_mode": True}),
}
