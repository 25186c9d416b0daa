"""Chains and the hooks that they hang on; the walk of a packet through them. Pure.

Theory of operation. A packet meets five hooks (prerouting, input, forward, output, postrouting). At each one
the base chains run by priority; conntrack stands between raw and mangle, and NAT asks its chains only
for the first packet of a flow, once for each end: the first chain that translates wins, and if none
does, that is settled too. A rule is a row of parts: each one goes on, says no, or says what is to be
done. A jump comes back, a goto does not.
Models torvalds/linux net/netfilter/core.c nf_hook_slow
Models torvalds/linux net/netfilter/nf_nat_core.c nf_nat_inet_fn
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from kubemini.host.linux.netfilter.flight import NO, Act, Flight, Part, Step

PRIORITIES = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}
CONNTRACK = -200
HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
QUOTED = re.compile(r'"[^"]*"')
LEADS = re.compile(r"(?:^|\s)(?:-j|-g|--jump|--goto|jump|goto)\s+([^\s,}]+)")
MAPPED = re.compile(r"vmap @(\S+)")
SILENT = {"jump", "goto", "return"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its text, and the parts that do what the text says."""

    text: str
    parts: tuple[Part, ...]


@dataclass(slots=True)
class Chain:
    """A chain; a base chain has a *hook*, a *priority* and a *policy*."""

    table: str
    name: str
    rules: list[Rule] = field(default_factory=list)
    kind: str = "filter"
    hook: str = ""
    priority: int = 0
    policy: str = "accept"


@dataclass(slots=True)
class Ruleset:
    """All that is loaded in a namespace: chains by (table, name), named sets and maps by the same.

    *recent* is what ``-m recent`` and dynamic sets remember: (list, address) → µs.
    """

    chains: dict[tuple[str, str], Chain] = field(default_factory=dict)
    sets: dict[tuple[str, str], Any] = field(default_factory=dict)
    recent: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def tracks(self) -> bool:
        """Whether conntrack runs here: somebody asks for it."""
        return bool(self.chains)

    def flush(self, table: str = "") -> None:
        """Forget all rules, or those of one table."""
        for key in [k for k in self.chains if table in ("", k[0])]:
            del self.chains[key]
        for key in [k for k in self.sets if table in ("", k[0])]:
            del self.sets[key]

    def check_loops(self) -> None:
        """ValueError if a chain leads back to itself: no tool loads that.

        Models torvalds/linux net/ipv4/netfilter/ip_tables.c mark_source_chains
        """
        graph = {key: self._next(key[0], chain) for key, chain in self.chains.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            names = " → ".join(name for _, name in reversed(error.args[1]))
            raise ValueError(f"cannot load a loop of chains: {names}; take one jump out") from None

    def _next(self, table: str, chain: Chain) -> set[tuple[str, str]]:
        """The chains that a rule of *chain* leads to, by itself or by a map."""
        texts = [QUOTED.sub("", rule.text) for rule in chain.rules]
        names = {name for text in texts for name in LEADS.findall(text)}
        for named in (self.sets[table, m] for text in texts for m in MAPPED.findall(text)):
            names |= {act.to for act in named.elements.values() if act and act.kind in {"jump", "goto"}}
        return {(table, name) for name in names if (table, name) in self.chains}

    def base(self, hook: str, low: int, high: int) -> Iterator[Chain]:
        """The base chains of *hook* with low < priority ≤ high, in their order."""
        chains = [c for c in self.chains.values() if c.hook == hook and low < c.priority <= high]
        return iter(sorted(chains, key=lambda c: c.priority))

    def run(self, chain: Chain, flight: Flight) -> Act | None:
        """The packet through one base chain: what ends or translates it, or None."""
        stack: list[tuple[Chain, Iterator[Rule]]] = [(chain, iter(chain.rules))]
        sent_by: Step | None = None
        while stack:
            here, rules = stack[-1]
            rule = next(rules, None)
            if rule is None:
                stack.pop()
                continue
            act = self._apply(here, rule, flight)
            if act is None:
                continue
            step = flight.steps[-1]
            if act.kind in {"jump", "goto"}:
                sent_by = step if act.shown else sent_by
                target = self.chains.get((here.table, act.to))
                assert target is not None, f"{here.table} has no chain {act.to}: {rule.text}"
                if act.kind == "goto":
                    stack.pop()
                stack.append((target, iter(target.rules)))
            elif act.kind == "return":
                stack.pop()
            else:
                if act.kind == "reject" and len(rule.parts) == 1 and sent_by is not None:
                    at = flight.steps.index(sent_by)
                    flight.steps[at] = Step(sent_by.table, sent_by.chain, sent_by.text, "reject")
                return act
        return Act(chain.policy) if chain.policy != "accept" else None

    def _apply(self, chain: Chain, rule: Rule, flight: Flight) -> Act | None:
        """One rule: None if it does not match, or matched and lets the packet go on."""
        before = flight.mark
        for part in rule.parts:
            outcome = part(flight)
            if outcome is NO:
                return None
            if isinstance(outcome, Act):
                text = f"{rule.text} → {outcome.shown}" if outcome.shown else rule.text
                verdict = "" if outcome.kind in SILENT else outcome.kind
                flight.steps.append(Step(chain.table, chain.name, text, verdict or outcome.kind))
                return outcome
        did = "mark" if flight.mark != before else "matched"
        flight.steps.append(Step(chain.table, chain.name, rule.text, did))
        return None
