"""Subsets of Endpoints in their one form: each address once a set of ports, each set of ports once. Pure.

Invariant: `repacked` changes nothing that a client could tell: the same addresses at the same ports, ready or not; an
address that is named as both is not ready.
Models k/k pkg/api/v1/endpoints RepackSubsets, LessEndpointAddress
"""

import math
from collections.abc import Iterable
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.networking import hashing

MOST = 1000  # maxCapacity: so many addresses in one object
Port = tuple[int, str, str, str]  # number, name, protocol, application protocol
Address = tuple[str, str]  # IP, UID of its pod
NO_PORT: Port = (-1, "", "", "")
Ready = dict[Address, bool]


def repacked(subsets: Iterable[Obj]) -> list[dict[str, Any]]:
    """*subsets* in their one form."""
    known: dict[Address, Obj] = {}
    by_port: dict[Port, Ready] = {}
    for subset in subsets:
        for port in [_port(one) for one in subset.get("ports") or ()] or [NO_PORT]:
            for side in ("addresses", "notReadyAddresses"):
                for address in subset.get(side) or ():
                    who = _identity(address)
                    known.setdefault(who, address)
                    there = by_port.setdefault(port, {})
                    there[who] = there.get(who, True) and side == "addresses"
    groups: dict[tuple[tuple[Address, bool], ...], list[Port]] = {}
    for port, there in by_port.items():
        groups.setdefault(tuple(sorted(there.items())), []).append(port)
    packed = [_subset(ports, dict(there), known) for there, ports in groups.items()]
    return packed if len(packed) < 2 else sorted(packed, key=hashing.of_subset)


def _subset(ports: list[Port], there: Ready, known: dict[Address, Obj]) -> dict[str, Any]:
    sides: dict[str, list[Any]] = {
        side: [known[who] for who in sorted(there) if there[who] == ready]
        for side, ready in (("addresses", True), ("notReadyAddresses", False))
    }
    named = [_named(*port) for port in ports if port != NO_PORT]
    sides["ports"] = named if len(named) < 2 else sorted(named, key=hashing.of_port)
    return {part: found for part, found in sides.items() if found}


def _identity(address: Obj) -> Address:
    return address["ip"], get(address, "targetRef", "uid", default="")


def _port(port: Obj) -> Port:
    words = (port.get(part) or "" for part in ("name", "protocol", "appProtocol"))
    name, protocol, application = words
    return port["port"], name, protocol, application


def _named(number: int, name: str, protocol: str, application: str) -> dict[str, Any]:
    said = {"name": name, "port": number, "protocol": protocol, "appProtocol": application}
    return {part: value for part, value in said.items() if value}


def counted(subsets: Iterable[Obj], side: str) -> int:
    """How many addresses there are on one side."""
    return sum(len(subset.get(side) or ()) for subset in subsets)


def truncated(subsets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most `MOST` addresses, each subset in proportion; *subsets* itself if they are not too many.

    Ready ones before others: where there are too many of these, no other is left.
    Models k/k pkg/controller/endpoint truncateEndpoints
    """
    ready, others = (counted(subsets, side) for side in ("addresses", "notReadyAddresses"))
    if ready + others <= MOST:
        return subsets
    side, total = ("addresses", ready) if ready > MOST else ("notReadyAddresses", others)
    most = left = MOST if ready > MOST else MOST - ready
    found = []
    for subset in subsets:
        mine = subset.get(side) or []
        kept = mine[: min(math.ceil(len(mine) / total * most), left)]
        left -= len(kept)
        rest = {part: value for part, value in subset.items() if part != side}
        if side == "addresses":
            rest.pop("notReadyAddresses", None)
        found.append({**rest, side: kept} if kept else rest)
    return found
