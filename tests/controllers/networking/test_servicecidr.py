"""The ServiceCIDR controller: ready, needed, free to go. What the real one does: oracles/sessions/recorded/families."""

import pytest

from kubemini.api.kinds import IP_ADDRESS, SERVICE_CIDR
from kubemini.controllers.decide.actions import Patch
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.networking import servicecidr
from kubemini.sim.units import SECOND

BORN = 100 * SECOND
DELETED = "2026-01-01T00:01:40Z"  # BORN


def cidr(name, *ranges, deleted=False, finalizers=(servicecidr.FINALIZER,), conditions=()):
    meta = {"name": name, "finalizers": list(finalizers)} | ({"deletionTimestamp": DELETED} if deleted else {})
    status = {"conditions": list(conditions)}
    return {"kind": "ServiceCIDR", "metadata": meta, "spec": {"cidrs": list(ranges)}, "status": status}


def address(ip, ours=True):
    labels = {servicecidr.MANAGED_BY: servicecidr.ALLOCATOR if ours else "somebody"}
    return {"kind": "IPAddress", "metadata": {"name": ip, "labels": labels}}


def facts(known, addresses=()):
    there = {SERVICE_CIDR: list(known), IP_ADDRESS: [address(a) if isinstance(a, str) else a for a in addresses]}
    return Facts(
        get=lambda kind, key: None, of_namespace=lambda kind, space: there[kind], owned_by=lambda kind, uid: []
    )


def decided(me, others=(), addresses=(), now=BORN):
    return servicecidr.decide(me, facts((me, *others), addresses), True, now)


def said(plan):
    """What the plan patches: the finalizers, or whether it is Ready and why."""
    found = []
    for action in plan.actions:
        assert isinstance(action, Patch)
        if action.subresource:
            (ready,) = action.body["status"]["conditions"]
            found.append((ready["status"], ready["reason"]))
        else:
            found.append(tuple(action.body["metadata"]["finalizers"]))
    return found


def test_a_new_one_is_protected_and_ready_and_then_there_is_nothing_to_do():
    plan = decided(cidr("new", "10.1.0.0/24", finalizers=("a.b/c",)))
    assert said(plan) == [("a.b/c", servicecidr.FINALIZER), ("True", "")]
    ready = plan.actions[1].body["status"]["conditions"]
    assert decided(cidr("new", "10.1.0.0/24", conditions=ready)).actions == ()


def test_one_that_is_needed_says_so_and_stays():
    plan = decided(cidr("old", "10.1.0.0/24", deleted=True), addresses=["10.1.0.7"], now=BORN + 60 * SECOND)
    assert said(plan) == [("False", "Terminating")] and plan.again_at is None


def test_one_that_nobody_needs_goes_ten_seconds_after_it_was_deleted():
    me = cidr("old", "10.1.0.0/24", deleted=True)
    early = decided(me, addresses=["10.2.0.7"], now=BORN + 3 * SECOND)
    assert early.actions == () and early.again_at == BORN + 10 * SECOND
    assert said(decided(me, now=BORN + 10 * SECOND)) == [()]


@pytest.mark.parametrize(
    ("others", "addresses", "free"),
    [
        ([], ["10.1.0.7"], False),
        ([], [address("10.1.0.7", ours=False)], True),
        ([], ["10.1.0.0", "10.1.0.255"], True),  # no ServiceCIDR gives the ends of a range
        ([cidr("b", "10.1.0.0/24")], ["10.1.0.7"], True),
        ([cidr("b", "10.0.0.0/8")], ["10.1.0.7"], True),
        ([cidr("b", "10.1.0.0/28")], ["10.1.0.7"], True),  # smaller, but the only address is in it
        ([cidr("b", "10.1.0.0/28")], ["10.1.0.7", "10.1.0.17"], False),
        ([cidr("b", "fd00::/64")], ["10.1.0.7"], False),
    ],
)
def test_it_may_go_if_every_address_has_another_home(others, addresses, free):
    me = cidr("old", "10.1.0.0/24", deleted=True)
    assert servicecidr.can_go(me, [me, *others], facts((), addresses).of_namespace(IP_ADDRESS, "")) == free


def test_both_of_its_ranges_must_have_another_home():
    me, four = cidr("old", "10.1.0.0/24", "fd00:1::/112", deleted=True), cidr("b", "10.0.0.0/8")
    held = [address("10.1.0.7"), address("fd00:1::7")]
    assert not servicecidr.can_go(me, [me, four], held)
    assert servicecidr.can_go(me, [me, four, cidr("c", "fd00:1::/64")], held)


def test_an_address_wakes_the_service_cidrs_that_hold_it_and_a_new_one_those_it_overlaps():
    known = [cidr("a", "10.1.0.0/24"), cidr("b", "10.1.0.0/16", "fd00::/64"), cidr("c", "10.9.0.0/16")]
    there = facts(known)
    assert servicecidr.of_address(address("10.1.0.7"), there) == [("", "a"), ("", "b")]
    assert servicecidr.of_address(address("10.1.0.7", ours=False), there) == []
    assert servicecidr.overlapping(cidr("d", "10.0.0.0/12"), there) == [("", "a"), ("", "b"), ("", "c")]
    assert servicecidr.overlapping(cidr("d", "fd00::/112"), there) == [("", "b")]
