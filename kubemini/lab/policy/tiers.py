"""policy.tiers: each of three tiers is called by the one before it and by nobody else; and names still work."""

from typing import Any

from kubemini.lab import Report, exercise
from kubemini.lab.policy.tables import judged, manifest
from kubemini.study.reach import SHOP, table


def _tier(name: str, come: str, port: str, goes: tuple[str, str] | None) -> str:
    """The policy of a tier: who may come to its *port*, and to which tier and port it *goes*."""
    out = "egress:\n    - to: [{podSelector: {matchLabels: {app: %s}}}]\n      ports: [{port: %s}]\n"
    spec = f"""\
  podSelector: {{matchLabels: {{app: {name}}}}}
  policyTypes: [{"Ingress, Egress" if goes else "Ingress"}]
  ingress:
    - from: [{come}]
      ports: [{{port: {port}}}]
"""
    return manifest(name, "shop", spec + (f"  {out % goes}" if goes else ""))


def _from(tier: str) -> str:
    return f"{{podSelector: {{matchLabels: {{app: {tier}}}}}}}"


NAMES_OUT = """\
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
"""
TIERS = "---\n".join(
    (
        manifest("deny-all", "shop", "{podSelector: {}, policyTypes: [Ingress, Egress]}\n"),
        manifest("names", "shop", NAMES_OUT),
        _tier("web", "{ipBlock: {cidr: 0.0.0.0/0, except: [10.244.0.0/16]}}", "http", ("api", "http")),
        _tier("api", _from("web"), "http", ("db", "sql")),
        _tier("db", _from("api"), "sql", None),
    )
)
INSIDE = ("web", "api", "db")
CALLS = {("outside", "web"), ("web", "api"), ("api", "db")}
NAMES = {(name, "dns") for name in INSIDE}
ELSEWHERE = {pair for pair in table([]) if not set(pair) & set(INSIDE)}  # nobody's policy is about these
WANTED = CALLS | NAMES | ELSEWHERE


@exercise("policy.tiers")
def check_tiers(answer: Any) -> Report:
    """The learner's policies for namespace shop must give exactly the wanted table."""
    return judged(
        answer,
        SHOP,
        WANTED,
        "Look at the rule in brackets: either it lets through too much, or no rule of the pod's policies fits.",
        "A deny-all first, then one hole at each end of each arrow, names included.",
    )
