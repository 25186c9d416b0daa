"""policy.tiers: each of three tiers is called by the one before it and by nobody else; and names still work."""

from typing import Any

from kubemini.lab import Report, exercise
from kubemini.lab.policy.tables import held, policies_in
from kubemini.study.reach import SHOP, table

TIERS = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.244.0.0/16]}}]
      ports: [{port: http}]
  egress:
    - to: [{podSelector: {matchLabels: {app: api}}}]
      ports: [{port: http}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: http}]
  egress:
    - to: [{podSelector: {matchLabels: {app: db}}}]
      ports: [{port: sql}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: api}}}]
      ports: [{port: sql}]
"""
INSIDE = ("web", "api", "db")
CALLS = {("outside", "web"), ("web", "api"), ("api", "db")}
NAMES = {(name, "dns") for name in INSIDE}
ELSEWHERE = {pair for pair in table([]) if not set(pair) & set(INSIDE)}  # nobody's policy is about these
WANTED = CALLS | NAMES | ELSEWHERE


@exercise("policy.tiers")
def check_tiers(answer: Any) -> Report:
    """The learner's policies for namespace shop must give exactly the wanted table."""
    facts = held(
        policies_in(answer),
        SHOP,
        WANTED,
        "Look at the rule in brackets: either it lets through too much, or no rule of the pod's policies fits.",
    )
    return Report("pass", facts, "A deny-all first, then one hole at each end of each arrow, names included.")
