"""policy.webhook: a deny-all has locked the API server out of its webhook; let it in, and nobody else."""

from typing import Any

from kubemini.lab import Report, exercise
from kubemini.lab.policy.tables import judged, manifest
from kubemini.study.reach import OUTSIDE, End, pod

OWN_ONLY = """\
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {}}]
"""
LOCKED = manifest("own-namespace-only", "queue", OWN_ONLY)
PLANES = tuple(End(f"cp-{n}", f"192.168.0.{10 + n}") for n in (1, 2, 3))
WORKER = End("worker-1", "192.168.0.101")
CAST = (
    *PLANES,
    WORKER,
    pod("queue", "webhook", "10.244.1.20", 9443, "webhook"),
    pod("queue", "queue", "10.244.2.20", 8080, "http"),
    pod("shop", "web", "10.244.1.2", 8080, "http"),
    OUTSIDE,
)
WANTED = {
    *((plane.name, "webhook") for plane in PLANES),
    ("queue", "webhook"),
    ("webhook", "queue"),
    *((end.name, to) for end in CAST for to in ("web", "outside") if end.name != to),
}


@exercise("policy.webhook")
def check_webhook(answer: Any) -> Report:
    """All three API servers must reach the webhook, from their hosts; whoever could not before still cannot."""
    return judged(
        answer,
        CAST,
        WANTED,
        "An API server runs on its host's network: no selector finds it, only an ipBlock with its host's address.",
        "Who calls from a host has no labels: the three addresses are all there is to name.",
    )
