"""dns.fewer: fewer questions for a name outside, by the pod's spec alone.

The same image may be built on glibc or on musl, so both must find all names that the program uses.
"""

from typing import Any

from kubemini.api.objects import freeze
from kubemini.lab import NotYet, Report, exercise
from kubemini.network.decide.dns.resolvconf import LIBCS, NodeDns, ResolvConf, pod_resolv_conf
from kubemini.study.names import Walk, server, walk_with

USED = {"api.example.com": 90, "web": 5, "web.prod": 5}  # how often, of a hundred lookups
LEAST = 0.6
NODE = NodeDns(host=ResolvConf(("198.51.100.53",), ()))
FIELDS = ("dnsPolicy", "dnsConfig", "hostNetwork")


def lookups(spec: dict[str, Any], libc: str) -> dict[str, Walk]:
    """Each name, looked up in a pod with *spec* in the namespace default."""
    conf, _ = pod_resolv_conf(freeze({"metadata": {"namespace": "default"}, "spec": spec}), NODE)
    return {name: walk_with(name, conf, libc, server()) for name in USED}


def questions(found: dict[str, Walk]) -> int:
    """How many a hundred lookups cost."""
    return sum(USED[name] * walk.queries for name, walk in found.items())


@exercise("dns.fewer")
def check_fewer(answer: Any) -> Report:
    """*answer*: what goes into the pod's spec: dnsPolicy, dnsConfig."""
    if not isinstance(answer, dict) or not answer:
        raise NotYet('Give a part of the pod\'s spec, such as {"dnsConfig": {"options": [...]}}.')
    unknown = [name for name in answer if name not in FIELDS]
    if unknown:
        raise NotYet(f"{unknown[0]} has nothing to do with names; of the spec take dnsPolicy and dnsConfig.")
    facts = []
    for libc in LIBCS:
        before, after = lookups({}, libc), _tried(answer, libc)
        for name, walk in after.items():
            if walk.addresses != before[name].addresses:
                raise NotYet(
                    f"On {libc} {name} is not found any more: {walk.error or walk.addresses[0]}.",
                    *str(walk).splitlines(),
                    next="Which of the names have fewer dots than ndots now, and which have not?",
                )
        saved = 1 - questions(after) / questions(before)
        facts.append(f"{libc}: {questions(before)} questions for a hundred lookups, now {questions(after)}")
        if saved < LEAST:
            raise NotYet(f"On {libc} only {100 * saved:.0f} % of the questions are saved; 60 % are wanted.", *facts)
    return Report(
        "pass",
        tuple(facts),
        "ndots says from how many dots on a name is tried alone first; five lets even _http._tcp.web be searched for.",
        "Without touching the pod: what does a final dot in the program's configuration do?",
    )


def _tried(answer: dict[str, Any], libc: str) -> dict[str, Walk]:
    try:
        return lookups(answer, libc)
    except (AttributeError, KeyError, TypeError):
        example = '{"dnsConfig": {"options": [{"name": "timeout", "value": "2"}]}}'
        raise NotYet(f"The API server would not take this: write it as in a manifest, such as {example}.") from None
