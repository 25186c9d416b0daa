"""ServiceCIDRs: the ranges that Services have their addresses from.

Models k/k pkg/registry/networking/servicecidr strategy; k/k pkg/apis/networking/validation ValidateServiceCIDR,
ValidateServiceCIDRUpdate. What an API server makes of them: ``apiserver/decide/allocation/cidrs.py``.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.kinds import SERVICE_CIDR
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, joined
from kubemini.apiserver.rules.addresses import canonical, network
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.served import ServedKind, serve

WHERE = "spec.cidrs"
ONE_EACH = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
COLUMNS = (
    NAME,
    Column(
        "CIDRs",
        lambda obj, now: joined(cidrs(obj)),
        description=(
            'cidrs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to '
            "assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is immutable."
        ),
    ),
    AGE,
)


def cidrs(obj: Obj) -> Sequence[str]:
    """Its ranges, as they are written."""
    return get(obj, "spec", "cidrs") or ()


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about its ranges; those of one that is there are only held to what they were."""
    yield from _ranges(cidrs(obj))


def _ranges(said: Sequence[str]) -> Wrong:
    """Models k/k pkg/apis/networking/validation validateServiceCIDRSpec"""
    if not said:
        yield required(WHERE, "at least one CIDR required")
    elif len(said) > 2:
        yield invalid(WHERE, {"CIDRs": said}, "may only hold up to 2 values")
    else:
        for number, cidr in enumerate(said):
            yield from canonical(cidr, f"{WHERE}[{number}]")
        versions = [found.version for found in map(network, said) if found is not None]
        if len(versions) == 2 and versions[0] == versions[1]:
            yield invalid(WHERE, said, ONE_EACH)


def changes(new: Obj, old: Obj) -> Wrong:
    """Its ranges stay; one of the other family may come to a single one."""
    said, was = cidrs(new), cidrs(old)
    if len(said) != len(was) and (len(was), len(said)) != (1, 2):
        yield invalid(WHERE, said, IMMUTABLE)
        return
    for number, (now, before) in enumerate(zip(said, was, strict=False)):
        if now != before:
            yield invalid(f"{WHERE}[{number}]", now, IMMUTABLE)
    if len(said) > len(was):
        yield from _ranges(said)


def summary(obj: Obj) -> dict[str, Any]:
    """Its ranges."""
    return {"cidrs": list(cidrs(obj))}


serve(
    ServedKind(
        SERVICE_CIDR,
        subresources=("status",),
        create_rules=create_rules,
        changes=changes,
        first_status=lambda obj: {},
        columns=COLUMNS,
        summary=summary,
    )
)
