"""A whole table of nftables: object by object, as nft lists it, and as one text that ``nft -f`` loads. Pure.

Invariant: what is shown can be loaded, and is then shown the same.
Models k/k pkg/proxy/nftables Proxier.syncProxyRules
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kubemini.network.decide.rules.network import local, refused_on_localhost
from kubemini.network.decide.rules.nftables import Written, rules
from kubemini.network.decide.rules.nftables_base import MAPS, base
from kubemini.network.decide.rules.plan import Plan
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4

SAID = 'comment "rules for kube-proxy"'
SET, MAP, CHAIN, ELEMENT = "set", "map", "chain", "element"


def written(plans: Iterable[Plan], config: ProxyConfig, node: Node, of_family: str = IPV4) -> Written:
    """Everything on *node* in one family: the base and what *plans* add to it."""
    out, its = base(config, node, of_family), local(config, node, of_family)
    refused = refused_on_localhost(config)
    for plan in plans:
        out.add(rules(plan, node, its, refused))
    return out


def objects(out: Written) -> list[dict[str, Any]]:
    """Sets, maps, chains and elements, one by one: ``{kind, name, lines}``, an element ``{kind, of, lines}``.

    Counters count nothing that is decided: they are not among them.
    """
    sets = [{"kind": MAP if name in MAPS else SET, "name": name, "lines": lines} for name, lines in out.sets.items()]
    chains = [{"kind": CHAIN, "name": name, "lines": lines} for name, lines in out.chains.items()]
    elements = [
        {"kind": ELEMENT, "of": of, "lines": [element]}
        for of, held in out.elements.items()
        for element in held.values()
    ]
    return sets + chains + elements


def loadable(out: Written, of_family: str = IPV4) -> str:
    """The table kube-proxy as a text for ``nft -f``."""
    table = "ip" if of_family == IPV4 else "ip6"
    return "\n".join((f"table {table} kube-proxy {{", f"\t{SAID}", *_blocks(out), "}\n"))


def _blocks(out: Written) -> Iterator[str]:
    for name in out.counters:
        yield from _block(f"counter {name}", ["packets 0 bytes 0"])
    for name, lines in out.sets.items():
        held = out.elements.get(name)
        elements = [f"elements = {{ {', '.join(held.values())} }}"] if held else []
        yield from _block(f"{MAP if name in MAPS else SET} {name}", [*lines, *elements])
    for name, lines in out.chains.items():
        yield from _block(f"chain {name}", lines)


def _block(head: str, lines: list[str]) -> Iterator[str]:
    yield f"\t{head} {{"
    for line in lines:
        yield f"\t\t{line}"
    yield "\t}"
