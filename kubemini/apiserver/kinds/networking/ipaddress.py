"""IPAddresses: an address, by its name, and whose it is.

An API server makes one for every address that it gives to a Service, in the transaction that writes the Service
(``apiserver/decide/allocation``); others may make them for what is theirs.
Models k/k pkg/registry/networking/ipaddress strategy; k/k pkg/apis/networking/validation ValidateIPAddress,
ValidateIPAddressUpdate.
"""

from dataclasses import replace
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import IP_ADDRESS
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, Column
from kubemini.apiserver.rules.addresses import mapped_ipv4
from kubemini.apiserver.rules.causes import IMMUTABLE, NO_IP, Wrong, address, each, invalid, required
from kubemini.apiserver.served import ServedKind, serve

WHERE = "spec.parentRef"


def named(value: str) -> list[str]:
    """A name is an address in the one way to write it. Models k/apimachinery pkg/util/validation IsValidIP"""
    found = address(value)
    if found is None:
        bare = ".".join(part.lstrip("0") or "0" for part in value.split("."))
        return ["must not have leading 0s" if address(bare) is not None else NO_IP]
    if mapped_ipv4(found):
        return ["must not be an IPv4-mapped IPv6 address"]
    return [] if value == str(found) else [f'must be in canonical form ("{found}")']


def rules(obj: Obj) -> Wrong:
    """Models k/k pkg/apis/networking/validation validateIPAddressParentReference"""
    parent = get(obj, "spec", "parentRef")
    if parent is None:
        yield required(WHERE)
        return
    if parent.get("group"):
        yield from each(names.dns_subdomain(parent["group"]), f"{WHERE}.group", parent["group"])
    for field in ("resource", "name", "namespace"):
        value = parent.get(field) or ""
        if value:
            yield from each(names.path_segment(value), f"{WHERE}.{field}", value)
        elif field != "namespace":
            yield required(f"{WHERE}.{field}")


def changes(new: Obj, old: Obj) -> Wrong:
    """Whose it is stays; the real one's text shows no value."""
    if get(new, *WHERE.split(".")) != get(old, *WHERE.split(".")):
        yield invalid(WHERE, None, IMMUTABLE)


def parent_of(obj: Obj) -> str:
    """Whose it is: ``services/default/web``. Models k/k pkg/printers/internalversion printIPAddress"""
    parent = get(obj, "spec", "parentRef")
    if not parent:
        return NONE
    group = f".{parent['group'].lower()}" if parent.get("group") else ""
    return "/".join(
        filter(None, (parent.get("resource", "").lower() + group, parent.get("namespace"), parent.get("name")))
    )


def summary(obj: Obj) -> dict[str, Any]:
    """Whose it is."""
    return {"parent": parent_of(obj)}


COLUMNS = (
    NAME,
    Column(
        "ParentRef",
        lambda obj, now: parent_of(obj),
        description=(
            "parentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent "
            "object."
        ),
    ),
    replace(AGE, headed=False),
)
serve(
    ServedKind(
        IP_ADDRESS,
        suffixed=False,
        name_rule=named,
        rules=rules,
        changes=changes,
        columns=COLUMNS,
        summary=summary,
    )
)
