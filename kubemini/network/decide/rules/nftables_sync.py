"""What kube-proxy hands to ``nft -f`` when something changes: elements that came or went, chains that are other. Pure.

Theory of operation. A transaction names objects one by one, so a change costs what it changes, however many
Services there are. Elements of shared sets and maps are counted: two Services may have one hairpin
element. An element whose value is another one is deleted and added anew. Chains that nobody uses any more
are emptied at once, but deleted with a later change: kernels before 6.2 still hold them for a moment, since
elements pointed at them. Sets of clients (affinity) can go at once.
Invariant: after any changes the kernel holds what a full write would put there, and empty chains.
Models k/k pkg/proxy/nftables Proxier.syncProxyRules, nftElementStorage, ensureChain
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kubemini.network.decide.rules.network import local, refused_on_localhost
from kubemini.network.decide.rules.nftables import Written, rules
from kubemini.network.decide.rules.nftables_base import base
from kubemini.network.decide.rules.plan import Plan
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4

Element = tuple[str, str]  # the set or map, and the whole element


class NftablesRules:
    """The table of one node in one family, Service by Service, as it stands in its kernel after each `sync`."""

    def __init__(self, config: ProxyConfig, node: Node, of_family: str = IPV4):
        self.node, self.its = node, local(config, node, of_family)
        self.refused = refused_on_localhost(config)
        self.table = "ip kube-proxy" if of_family == IPV4 else "ip6 kube-proxy"
        self.base = base(config, node, of_family)
        self.services: dict[str, Written] = {}
        self.held: Counter[Element] = Counter()  # how many Services have it
        self.stale: dict[str, None] = {}

    def sync(self, changed: Mapping[str, Sequence[Plan]]) -> str:
        """The transaction that makes the plans of *changed* Services true.

        *changed*: ``namespace/name`` → its plans, none for a Service that is gone.
        """
        before, now = Written(), Written()
        left: list[Element] = []
        came: list[Element] = []
        for name, plans in changed.items():
            old, new = self.services.pop(name, Written()), Written()
            for plan in plans:
                new.add(rules(plan, self.node, self.its, self.refused))
            if new.elements:
                self.services[name] = new
            before.add(old)
            now.add(new)
            left += _elements(old)
            came += _elements(new)
        gone_elements, new_elements = self._count(left, came)
        lines = [f"delete chain {self.table} {name}" for name in self.stale if name not in now.chains]
        lines += [f"delete element {self.table} {of} {{ {_key(element)} }}" for of, element in gone_elements]
        gone = [name for name in before.chains if name not in now.chains]
        lines += [line for name in now.chains for line in self._emptied(name)]
        lines += [f"flush chain {self.table} {name}" for name in gone]
        lines += [f"delete set {self.table} {name}" for name in before.sets if name not in now.sets]
        lines += [f"add set {self.table} {name} {{ {_held(held)} }}" for name, held in now.sets.items()]
        lines += [f"add rule {self.table} {name} {rule}" for name, held in now.chains.items() for rule in held]
        lines += [f"add element {self.table} {of} {{ {element} }}" for of, element in new_elements]
        self.stale = dict.fromkeys(gone)
        return "".join(f"{line}\n" for line in lines)

    def written(self) -> Written:
        """All that stands there now, without empty chains."""
        out = Written()
        for part in (self.base, *self.services.values()):
            out.add(part)
        return out

    def _emptied(self, name: str) -> tuple[str, str]:
        return f"add chain {self.table} {name}", f"flush chain {self.table} {name}"

    def _count(self, left: list[Element], came: list[Element]) -> tuple[list[Element], list[Element]]:
        """Take *left* from what is held and put *came* to it: the elements that are gone, and that are new."""
        before = {element for element in (*left, *came) if element in self.held}
        self.held.update(came)
        self.held.subtract(left)
        gone = [element for element in dict.fromkeys(left) if not self.held[element]]
        for element in gone:
            del self.held[element]
        return gone, [element for element in dict.fromkeys(came) if element not in before]


def _elements(written: Written) -> list[Element]:
    return [(of, element) for of, held in written.elements.items() for element in held.values()]


def _key(element: str) -> str:
    """An element without its comment and value."""
    return element.split(" : ")[0].split(' comment "')[0]


def _held(lines: Iterable[str]) -> str:
    """The properties of a set in one line."""
    return " ".join(f"{line};" for line in lines)
