"""dns.expand: which names glibc tries, in which order.

Held against the resolver that walks as the real one does.
"""

from collections.abc import Iterator
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.network.decide.dns.message import whole
from kubemini.network.decide.dns.resolvconf import GLIBC, Settings
from kubemini.network.decide.dns.resolver import expand

SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
NAMES = ("web", "web.prod", "web.prod.svc", "web.prod.svc.cluster.local", "api.example.com", "a.b.c.d.e.f")


def cases() -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Names with and without a final dot, search lists of each length, every ndots."""
    for length in range(len(SEARCH) + 1):
        for ndots in range(7):
            for name in NAMES:
                yield name, SEARCH[:length], ndots
                yield name + ".", SEARCH[:length], ndots


@exercise("dns.expand")
def check_expand(answer: Any) -> Report:
    """*answer*: a function of name, search list and ndots: the names that are tried, final dot or not."""
    known = list(cases())
    for name, search, ndots in known:
        found = ask(answer, name, list(search), ndots)
        if not isinstance(found, list | tuple):
            raise NotYet("Return a list of names, in the order in which they are tried.")
        tried = [whole(str(one)) for one in found]
        wanted = expand(name, Settings((), search, ndots), GLIBC)
        if tried != wanted:
            raise NotYet(
                f"{name!r} with ndots {ndots} and {len(search)} search domains: "
                f"glibc tries {', '.join(wanted)}; yours {', '.join(tried) or 'nothing'}.",
                next=_hint(name, wanted, tried),
            )
    return Report(
        "pass",
        (f"{len(known)} of {len(known)} names: the same list, in the same order",),
        "A dot at the end means: this is the whole name. Dots in the middle only decide what comes first.",
        "musl leaves the list out altogether where there are dots enough. Which names of yours would it not find?",
    )


def _hint(name: str, wanted: list[str], tried: list[str]) -> str:
    if name.endswith("."):
        return "A name that ends in a dot is whole. What is there to search?"
    if sorted(tried) == sorted(wanted):
        return "The names are right. Which comes first: the name alone, or the list?"
    if len(tried) < len(wanted):
        return "Some names are never tried. What does glibc do when its first try fails?"
    return "Count the dots of the name, and compare with ndots."
