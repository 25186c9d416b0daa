"""Stories of names: an API server that is gone, a name server outside that is, another Corefile."""

from typing import Any

from kubemini.scenarios import load

NOTHING = """
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data: {Corefile: ".:53 {\\n errors\\n}"}
"""


def names(until: int, *faults: list, name: str = "web") -> dict[str, Any]:
    """A shop with CoreDNS; its visitors look *name* up before each visit."""
    return {
        "title": "t",
        "topology": {"kind": "single", "workers": 2, "dns": "coredns"},
        "manifests": load("dns").manifests,
        "workload": {"visitors": {"service": "web", "every": "1s", "name": name}},
        "faults": list(faults),
        "until": f"{until}s",
    }


ORPHANS = names(
    40, ["20s", "crash", "apiserver-1"], ["21s", "crash", "coredns@worker-1"], ["21s", "crash", "coredns@worker-2"]
)
NOBODY_OUTSIDE = names(25, ["4s", "crash", "upstream-dns"], name="api.example.com.")
ANOTHER_COREFILE = names(70, ["15s", "apply", NOTHING])
