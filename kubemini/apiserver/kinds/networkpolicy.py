"""NetworkPolicies.

Models k/k pkg/registry/networking/networkpolicy strategy; k/k pkg/apis/networking/validation
ValidateNetworkPolicySpec; defaults: k/k pkg/apis/networking/v1 SetDefaults_NetworkPolicy.
Simplified: an address range of the old object is judged as a new one.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NETWORK_POLICY
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, selector_text
from kubemini.apiserver.rules.addresses import cidr, cidr_warnings, network
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, indexed, invalid, required, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.rules.pods.probes import port as port_or_name
from kubemini.apiserver.served import ServedKind, serve

PROTOCOLS = ("TCP", "UDP", "SCTP")
TYPES = ("Ingress", "Egress")
PEERS = {"ingress": "from", "egress": "to"}


def defaults(obj: Obj) -> Obj:
    """*obj* with a protocol at each port, and the directions that it is about."""
    spec = dict(obj.get("spec") or {})
    for direction in PEERS:
        if direction in spec:
            spec[direction] = [_with_protocols(rule) for rule in spec[direction]]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = list(TYPES) if spec.get("egress") else ["Ingress"]
    return {**obj, "spec": filled(spec, podSelector={})}


def _with_protocols(rule: Obj) -> Obj:
    return {**rule, "ports": [filled(port, protocol="TCP") for port in rule["ports"]]} if "ports" in rule else rule


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj["spec"]
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in PEERS.items():
        for number, rule in enumerate(spec.get(direction) or ()):
            path = f"spec.{direction}[{number}]"
            yield from indexed(rule.get("ports"), f"{path}.ports", _port)
            yield from indexed(rule.get(peers), f"{path}.{peers}", _peer)
    types = spec.get("policyTypes") or ()
    if len(types) > len(TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for number, said in enumerate(types):
        yield from supported(f"spec.policyTypes[{number}]", said, TYPES)


def _port(said: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/networking/validation ValidateNetworkPolicyPort"""
    yield from supported(f"{path}.protocol", said.get("protocol", ""), PROTOCOLS)
    port, end = said.get("port"), said.get("endPort")
    if isinstance(port, str) or port is None:
        if end is not None:
            lack = "specified" if port is None else "numeric"
            text = f"may not be specified when `port` is {'not ' if port is None else 'non-'}{lack}"
            yield invalid(f"{path}.endPort", end, text)
        yield from port_or_name(port, f"{path}.port") if port is not None else ()
        return
    yield from port_or_name(port, f"{path}.port")
    if end is not None:
        if end < port:
            yield invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
        yield from each(names.port_number(end), f"{path}.endPort", end)


def _peer(peer: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/networking/validation ValidateNetworkPolicyPeer"""
    selectors = [word for word in ("podSelector", "namespaceSelector") if peer.get(word) is not None]
    for word in selectors:
        yield from label_selector(peer[word], f"{path}.{word}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{path}.ipBlock")
    if block is None and not selectors:
        yield required(path, "must specify a peer")
    elif block is not None and selectors:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block(block: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/networking/validation ValidateIPBlock"""
    if not block.get("cidr"):
        return
    yield from cidr(block["cidr"], f"{path}.cidr")
    whole = network(block["cidr"])
    if whole is None:
        return
    for number, said in enumerate(block.get("except") or ()):
        where, hole = f"{path}.except[{number}]", network(said)
        yield from cidr(said, where)
        if hole is not None and not (hole.prefixlen > whole.prefixlen and hole.network_address in whole):
            yield invalid(where, said, "must be a strict subset of `cidr`")


def summary(policy: Obj) -> dict[str, Any]:
    """Which directions it is about."""
    return {"types": list(policy["spec"]["policyTypes"])}


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Ranges of addresses that are not written as they should be."""
    return [
        text
        for direction, peers in PEERS.items()
        for number, rule in enumerate(obj["spec"].get(direction) or ())
        for place, peer in enumerate(rule.get(peers) or ())
        if peer.get("ipBlock") is not None
        for text in _of_block(peer["ipBlock"], f"spec.{direction}[{number}].{peers}[{place}].ipBlock")
    ]


def _of_block(block: Obj, path: str) -> list[str]:
    said = [(f"{path}.except[{number}]", hole) for number, hole in enumerate(block.get("except") or ())]
    return [text for where, value in [(f"{path}.cidr", block["cidr"]), *said] for text in cidr_warnings(value, where)]


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """A block has a range. Only what is new is judged."""
    if old is not None and obj["spec"] == old["spec"]:
        return
    for direction, peers in PEERS.items():
        for number, rule in enumerate(obj["spec"].get(direction) or ()):
            for place, peer in enumerate(rule.get(peers) or ()):
                if peer.get("ipBlock") is not None and not peer["ipBlock"].get("cidr"):
                    yield required(f"spec.{direction}[{number}].{peers}[{place}].ipBlock.cidr")


def _selected(obj: Obj, now: int) -> str:
    return selector_text(get(obj, "spec", "podSelector") or {})


serve(
    ServedKind(
        NETWORK_POLICY,
        acted_on=True,
        counted=True,
        defaults=defaults,
        rules=rules,
        declared=declared,
        warnings=warnings,
        columns=(NAME, Column("Pod-Selector", _selected), AGE),
        summary=summary,
    )
)
