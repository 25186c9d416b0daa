"""Answers to the exercises of the chapter on policies, as a good reader gives them."""

from ipaddress import ip_address, ip_network

from kubemini.lab.policy.tables import manifest
from kubemini.lab.policy.webhook import LOCKED

ALL = """\
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
    - {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}
    - {from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}
  egress:
    - to:
        - podSelector: {matchExpressions: [{key: app, operator: In, values: [api, db]}]}
        - namespaceSelector: {}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
"""
FRONT = """\
  podSelector: {matchLabels: {app: web}}
  ingress:
    - from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.244.0.0/16]}}]
"""
MINIMAL = f"{manifest('all', 'shop', ALL)}---\n{manifest('front', 'shop', FRONT)}"
SERVERS = """\
  podSelector: {matchLabels: {app: webhook}}
  ingress:
    - from:
        - ipBlock: {cidr: 192.168.0.11/32}
        - ipBlock: {cidr: 192.168.0.12/32}
        - ipBlock: {cidr: 192.168.0.13/32}
      ports: [{port: 9443}]
"""
OPENED = f"{LOCKED}---\n{manifest('api-servers', 'queue', SERVERS)}"


def fits(selector, labels):
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer, home, other):
    if "ipBlock" in peer:
        block, ip = peer["ipBlock"], ip_address(other["ip"])
        return ip in ip_network(block["cidr"]) and not any(ip in ip_network(hole) for hole in block["except"])
    if "namespaceSelector" in peer:
        there = fits(peer["namespaceSelector"], other["namespaceLabels"])
    else:
        there = other["namespace"] == home
    return there and fits(peer.get("podSelector", {}), other["labels"])


def side(policies, me, other, port, direction, word):
    rules, isolated = [], False
    for policy in policies:
        spec = policy["spec"]
        if policy["metadata"]["namespace"] == me["namespace"] and direction in spec["policyTypes"]:
            if fits(spec["podSelector"], me["labels"]):
                isolated = True
                rules += spec[direction.lower()]
    return not isolated or any(
        (word not in rule or any(is_peer(peer, me["namespace"], other) for peer in rule[word]))
        and ("ports" not in rule or any(p["port"] <= port <= p.get("endPort", p["port"]) for p in rule["ports"]))
        for rule in rules
    )


def allowed(policies, src, dst, port):
    return side(policies, src, dst, port, "Egress", "to") and side(policies, dst, src, port, "Ingress", "from")
