"""leases.fencing: a number that grows with every holder, and a cloud that turns away who comes with an older one.

200 histories of a Lease: holders come and go, renew in between, and some calls of a holder arrive after its successor's
first. Their clocks are hours apart.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from kubemini.api.timestamps import micro_timestamp
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.leases.elector import asked
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

HISTORIES = 200
METHODS = ("token", "accept")
NAMES = ("controller-c", "controller-a", "controller-b")


class Called(NamedTuple):
    """A call of the cloud: by the holder number *term*, with the Lease as it was when that one won it."""

    term: int
    lease: Mapping[str, Any]


@exercise("leases.fencing")
def check_fencing(answer: Any) -> Report:
    """*answer*: a class with ``token(lease)`` and ``accept(token)``; one of it stands before the cloud."""
    lacks = [name for name in METHODS if not callable(getattr(answer, name, None))]
    if not isinstance(answer, type) or lacks:
        raise NotYet(f"Give check() the class itself, with {', '.join(METHODS)}; it got {shown(answer)}.")
    good = late = 0
    for number in range(HISTORIES):
        fence, newest = ask(answer), -1
        for call in history(number):
            taken = asked(fence.accept, asked(fence.token, call.lease)) is True
            newest = max(newest, call.term)
            if call.term < newest:
                late += 1
                _refused(taken, call, newest)
            else:
                good += 1
                _taken(taken, call)
    return Report(
        "pass",
        (
            f"{late} calls of holders that had been replaced were turned away",
            f"{good} calls of holders in office were taken, each holder's more than once",
        ),
        "A Lease tells a holder to stop; a fence stops it. The number comes from the Lease, the memory is the cloud's.",
        "Who of all those that your controllers write to remembers such a number?",
    )


def _refused(taken: bool, call: Called, newest: int) -> None:
    if taken:
        raise NotYet(
            f"A call of {_holder(call)} was taken, although holder number {newest + 1} had called before it; it was"
            f" number {call.term + 1}.",
            next="What in a Lease only ever grows, by whosever clock? Compare it as a number.",
        )


def _taken(taken: bool, call: Called) -> None:
    if not taken:
        raise NotYet(
            f"A call of {_holder(call)} was turned away, which held the Lease, and nobody newer had called.",
            next="Turn away what is *older* than the newest you have seen; the same again is the holder in office.",
        )


def _holder(call: Called) -> str:
    return str(call.lease["spec"]["holderIdentity"])


def history(number: int) -> list[Called]:
    """The calls of one history, in the order in which they arrive."""
    dice = Random(f"fencing {number}")
    offsets = {name: dice.randrange(-20_000, 20_000) * SECOND for name in NAMES}
    now, version, calls = 30_000 * SECOND, dice.randrange(1, 200), []
    terms = dice.randrange(9, 14)
    for term in range(terms):
        name = NAMES[(term + number) % len(NAMES)]
        now, version = now + dice.randrange(20, 4000) * SECOND, version + dice.randrange(1, 40)
        stamp = micro_timestamp(now + offsets[name])
        spec = {"holderIdentity": f"{name}_{dice.randrange(16**8):08x}", "leaseDurationSeconds": 15}
        times = {"acquireTime": stamp, "renewTime": stamp, "leaseTransitions": term}
        lease = {"metadata": {"name": "worker", "resourceVersion": str(version)}, "spec": {**spec, **times}}
        calls += [(term + at, Called(term, lease)) for at in (0.1, 0.3, dice.uniform(0.4, 2.5))]
    return [call for _, call in sorted(calls, key=lambda one: one[0])]
