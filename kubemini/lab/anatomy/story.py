"""What the exercises of this chapter share: the programs, when what happens in a run, and a shop that is found by name.

CoreDNS is nothing but a Deployment, so it is taken away by scaling it to nothing; all others crash.
"""

from dataclasses import replace
from typing import Any

from kubemini.cluster.topology import build
from kubemini.scenarios import Scenario, load

COREDNS = "coredns"
PROGRAMS = (
    "apiserver-1",
    "etcd-1",
    "controller-manager-1",
    "scheduler-1",
    "kubelet@worker-1",
    "kube-proxy@worker-1",
    COREDNS,
)
CRASH, SCALE, END = 15, 20, 34  # seconds
NAMES = """
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports:
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53, protocol: TCP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  replicas: 1
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: coredns, image: "registry.k8s.io/coredns/coredns:v1.13.1"}]}
"""


def found_by_name() -> Scenario:
    """The story of the chapter on one worker, with CoreDNS: visitors look `web` up before each visit."""
    shop = load("anatomy")
    return replace(
        shop,
        topology=build("single", workers=1, zones=["a"], dns="coredns"),
        manifests=shop.manifests + NAMES,
        workload={"visitors": {"service": "web", "every": "500ms", "name": "web"}},
        faults=((SCALE, "scale", "web", 4),),
    )


def taken_away(program: str) -> list[tuple[Any, ...]]:
    """The command that takes *program* away; none for nobody."""
    if not program:
        return []
    return [(CRASH, "scale", "kube-system/coredns", 0) if program == COREDNS else (CRASH, "crash", program)]
