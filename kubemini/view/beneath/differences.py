"""In what a run and a recording differ: facts of both, and the sentence that names what is not chance.

Pure. `differences` gives data, `sentence` says them. Invariant: whatever differs by more than two runs of the real
cluster do is named; what differs less is not.
Two runs of the real cluster differ in a time by a quarter or 3 s, and in a share of requests by less than a sixth.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from kubemini.view.beneath.recordings import FATES

SECONDS, PART = 3.0, 0.25  # by so much two runs may differ in a time
SHARE = 0.17  # and in a share
FEW = 3  # a text that came less often may be missing
CANONICAL = (  # what an error is called, whoever tells it
    ("etcdserver: request timed out", "etcdserver: request timed out"),
    ("context deadline exceeded", "Timeout: context deadline exceeded"),
    ("unable to return a response in the time allotted", "Timeout: unable to return a response in the time allotted"),
    ("TLS handshake timeout", "TLS handshake timeout"),
    ("client connection lost", "http2: client connection lost"),
    ("connection refused", "connection refused"),
    ("error reading from server", "error reading from server"),
    ("connection reset", "EOF"),
    ("EOF", "EOF"),
)


class Side(NamedTuple):
    """What was seen from the fault on; instants are seconds after it, up to the end of the window."""

    fates: dict[str, dict[str, int]]  # "API writes" → fate → how many were begun
    errors: dict[str, dict[str, int]]  # "API writes" → text → how many
    leads: dict[str, list[tuple[float, str]]]  # etcd and the Leases → who leads from when on
    uses: dict[str, list[tuple[float, bool]]]  # server → whether the balancer uses it from when on


class Difference(NamedTuple):
    """*there* on the real cluster, *here* in the run."""

    what: str
    there: str
    here: str


def differences(there: Side, here: Side) -> list[Difference]:
    """Everything in which *here* is not like *there*."""
    found = [asked(name, there, here) for name in here.fates if name in there.fates]
    found += [texts(name, there, here) for name in here.fates if name in there.errors]
    found += [without_leader(there, here), *(leases(name, there, here) for name in here.leads if name != "etcd")]
    if here.uses:
        found += [balancer(True, there, here), balancer(False, there, here)]
    return [one for one in found if one]


def sentence(found: Sequence[Difference], conditions: Sequence[Difference]) -> str:
    """What is seen otherwise, and in what the two trials were not the same, as one sentence."""
    seen = f"What differs: {said(found)}" if found else "Beyond chance, nothing differs"
    return f"{seen} (trials not alike: {said(conditions)})." if conditions else f"{seen}."


def said(found: Sequence[Difference]) -> str:
    """``API writes: there 8 slow of 20, here 4 failed of 10; …``."""
    return "; ".join(f"{one.what}: there {one.there}, here {one.here}" for one in found)


# -- requests ----------------------------------------------------------------------------------------------------------
def asked(name: str, there: Side, here: Side) -> Difference | None:
    """How the requests fared."""
    theirs, mine = there.fates[name], here.fates[name]
    if all(alike(share(theirs, fate), share(mine, fate)) for fate in FATES):
        return None
    return Difference(name, fared(theirs), fared(mine))


def share(fates: dict[str, int], fate: str) -> float:
    """The part of the requests that fared so."""
    return fates[fate] / max(1, sum(fates.values()))


def alike(there: float, here: float) -> bool:
    """Whether two shares differ by no more than chance."""
    return abs(there - here) <= SHARE


def fared(fates: dict[str, int]) -> str:
    """``8 slow, 2 failed of 20``."""
    many = sum(fates.values())
    bad = [f"{fates[what]} {what}" for what in ("slow", "failed") if fates[what]]
    return f"{', '.join(bad)} of {many}" if bad else f"all {many} answered at once" if many else "none asked"


def texts(name: str, there: Side, here: Side) -> Difference | None:
    """Which errors clients read."""
    theirs, mine = canonical(there.errors.get(name, {})), canonical(here.errors.get(name, {}))
    only_there = [text for text, many in theirs.items() if text not in mine and many >= FEW]
    only_here = [text for text, many in mine.items() if text not in theirs and many >= FEW]
    if not only_there and not only_here:
        return None
    return Difference(f"errors of {name}", listed(only_there or list(theirs)), listed(only_here or list(mine)))


def canonical(errors: dict[str, int]) -> dict[str, int]:
    """*errors* by what they are called, the most frequent first."""
    found: dict[str, int] = {}
    for text, many in errors.items():
        word = next((word for part, word in CANONICAL if part in text), text)
        found[word] = found.get(word, 0) + many
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def listed(texts: Sequence[str]) -> str:
    """``“a” and “b”``."""
    return " and ".join(f"“{text}”" for text in texts) or "none"


# -- who leads, what the balancer uses ---------------------------------------------------------------------------------
def without_leader(there: Side, here: Side) -> Difference | None:
    """How long etcd had no leader, where that was long."""
    theirs, mine = gaps(there.leads.get("etcd", [])), gaps(here.leads.get("etcd", []))
    return timed("etcd without a leader", theirs[:1], mine[:1], "for", "for no more than moments")


def gaps(leads: Sequence[tuple[float, str]]) -> list[float]:
    """How long each long time without a leader lasted that came to an end."""
    ended = [until - since for (since, who), (until, _) in pairwise(leads) if not who]
    return [time for time in ended if time >= SECONDS]


def leases(name: str, there: Side, here: Side) -> Difference | None:
    """When another took a Lease."""
    return timed(f"Lease {name}", takes(there, name), takes(here, name), "taken over after", "kept")


def takes(side: Side, name: str) -> list[float]:
    """When the Lease got another holder, the first time."""
    leads = side.leads.get(name, [])
    holders = [(at, who) for at, who in leads if who]
    return [at for (_, was), (at, who) in pairwise(holders) if was != who and at > 0][:1]


def balancer(up: bool, there: Side, here: Side) -> Difference | None:
    """When the balancer took servers out, or back."""
    word = "UP again" if up else "DOWN"
    theirs, mine = turned(there, up), turned(here, up)
    return timed(f"the balancer has servers {word}", theirs, mine, "after", "none")


def turned(side: Side, up: bool) -> list[float]:
    """When servers that were otherwise became UP or DOWN, the first time each."""
    found = [[at for at, now in told[1:] if now is up and at > 0] for told in side.uses.values()]
    return sorted(times[0] for times in found if times)


def timed(what: str, there: Sequence[float], here: Sequence[float], before: str, never: str) -> Difference | None:
    """A difference of instants or durations, both sorted; None if it may be chance."""
    near = all(abs(a - b) <= max(SECONDS, PART * a) for a, b in zip(there, here, strict=False))
    if len(there) == len(here) and near:
        return None
    return Difference(what, moments(there, before, never), moments(here, before, never))


def moments(times: Sequence[float], before: str, never: str) -> str:
    """``after 7, 9, 12 s``; *never* if there are none."""
    return f"{before} {', '.join(f'{time:.0f}' for time in times)} s" if times else never
