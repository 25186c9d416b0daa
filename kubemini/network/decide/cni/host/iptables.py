"""iptables as the plugins use it: tables of chains of rules, as iptables-save prints them and as nft shows them.

Invariant: what nft shows is the same rules in other words; iptables-nft keeps one copy. A comment has no words there
and leaves its place empty.
Models containernetworking/plugins pkg/utils InsertUnique
Models containernetworking/plugins pkg/utils DeleteChain
"""

from dataclasses import dataclass, field

from kubemini.network.decide.cni.host.errors import KernelError

HOOKS = {  # table → built-in chain → how nft describes it
    "nat": {
        "PREROUTING": "type nat hook prerouting priority dstnat; policy accept;",
        "INPUT": "type nat hook input priority srcnat; policy accept;",
        "OUTPUT": "type nat hook output priority -100; policy accept;",
        "POSTROUTING": "type nat hook postrouting priority srcnat; policy accept;",
    },
    "filter": {
        "INPUT": "type filter hook input priority filter; policy accept;",
        "FORWARD": "type filter hook forward priority filter; policy accept;",
        "OUTPUT": "type filter hook output priority filter; policy accept;",
    },
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. *matches* are texts as iptables-save prints them; an address is a network, "! " in front negates."""

    jump: str
    source: str = ""
    destination: str = ""
    protocol: str = ""
    inside: str = ""  # the interface it came by
    outside: str = ""
    matches: tuple[str, ...] = ()

    def saved(self) -> str:
        """As iptables-save prints it, without the chain."""
        parts = [
            *_option("-s", self.source),
            *_option("-d", self.destination),
            *_option("-i", self.inside),
            *_option("-o", self.outside),
            *_option("-p", self.protocol),
            *(f"-m {match}" for match in self.matches),
            f"-j {self.jump}",
        ]
        return " ".join(parts)

    def shown(self, family: str = "ip") -> str:
        """As nft shows it."""
        parts = [
            *_is(f"{family} saddr", self.source),
            *_is(f"{family} daddr", self.destination),
            *_is("iifname", self.inside and _quoted(self.inside)),
            *_is("oifname", self.outside and _quoted(self.outside)),
        ]
        port = next((m for m in self.matches if "dport" in m), "")
        if self.protocol and not (port and port.startswith(self.protocol)):
            parts.append(f"meta l4proto {self.protocol}")
        parts += [_match(match, self.protocol) for match in self.matches]
        return " ".join([*parts, _target(self.jump)])


def comment(text: str) -> str:
    """The match that says something to people."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'comment --comment "{quoted}"'


def network(address: str) -> str:
    """An address as iptables-save prints it: with the length of its prefix."""
    return address if "/" in address else address + ("/128" if ":" in address else "/32")


def _option(flag: str, value: str) -> list[str]:
    negated = value.startswith("! ")
    return [("! " if negated else "") + f"{flag} {value.removeprefix('! ')}"] if value else []


def _is(what: str, value: str) -> list[str]:
    if not value:
        return []
    negated = value.startswith(("! ", '"! '))
    plain = value.replace("! ", "", 1).removesuffix("/32").removesuffix("/128")
    return [f"{what} {'!= ' if negated else ''}{plain}"]


def _quoted(name: str) -> str:
    return f'"{name}"'


def _match(match: str, protocol: str) -> str:
    kind, *rest = match.split(" ")
    if kind == "comment":
        return ""
    if kind == "addrtype":
        return f"fib daddr type {rest[-1].lower()}"
    if kind == "mark":
        mark = int(rest[-1].split("/")[0], 16)
        return f"meta mark & {mark:#010x} == {mark:#010x}"
    if kind == "conntrack":
        return f"ct state {rest[-1].lower()}"
    ports = rest[-1].split(",")
    return f"{protocol} dport " + (ports[0] if len(ports) == 1 else "{ " + ", ".join(ports) + " }")


def _target(jump: str) -> str:
    name, *rest = jump.split(" ")
    if name == "MARK":
        return f"meta mark set mark or {rest[-1].split('/')[0]}"
    if name == "DNAT":
        return f"dnat to {rest[-1]}"
    verdicts = ("ACCEPT", "DROP", "RETURN", "MASQUERADE")
    return name.lower() if name in verdicts else f"jump {name}"


@dataclass(slots=True)
class Tables:
    """The tables of one family. A table comes about with the first call that names it."""

    chains: dict[str, dict[str, list[Rule]]] = field(default_factory=dict)
    hooked: set[tuple[str, str]] = field(default_factory=set)  # built-in chains that ever held a rule

    def table(self, name: str) -> dict[str, list[Rule]]:
        """The chains of a table, its built-in ones among them; to read."""
        return self.chains.get(name) or {chain: [] for chain in HOOKS[name]}

    def _made(self, name: str) -> dict[str, list[Rule]]:
        """The chains of a table, to write: it is made if it is not there."""
        return self.chains.setdefault(name, self.table(name))

    def ensure(self, table: str, chain: str) -> None:
        """Create a chain, unless it is there."""
        self._made(table).setdefault(chain, [])

    def has(self, table: str, chain: str, rule: Rule) -> bool:
        """Whether the chain holds exactly this rule."""
        return rule in self.table(table).get(chain, ())

    def add(self, table: str, chain: str, rule: Rule, *, first: bool = False) -> None:
        """Add a rule at the end, or *first*, unless the chain holds it."""
        rules = self._made(table)[chain]
        if rule not in rules:
            rules.insert(0 if first else len(rules), rule)
            self.hooked.add((table, chain))

    def remove(self, table: str, chain: str, rule: Rule) -> None:
        """Remove the first such rule, if there is one."""
        if self.has(table, chain, rule):
            self.table(table)[chain].remove(rule)

    def drop(self, table: str, chain: str) -> None:
        """Empty a chain and delete it. KernelError: a rule still jumps to it; it is empty then, and there."""
        chains = self.table(table)
        if chain not in chains:
            return
        chains[chain].clear()
        if any(rule.jump == chain for rules in chains.values() for rule in rules):
            raise KernelError(f"chain {chain} is still in use")
        del chains[chain]

    def saved(self, table: str) -> list[str]:
        """The lines of ``iptables-save -t TABLE``, without counters: built-in chains first, then by name."""
        built_in = HOOKS[table]
        chains = dict(sorted(self.table(table).items(), key=lambda c: "" if c[0] in built_in else c[0]))
        return [
            f"*{table}",
            *(f":{name} {'ACCEPT' if name in built_in else '-'}" for name in chains),
            *(f"-A {name} {rule.saved()}" for name, rules in chains.items() for rule in rules),
            "COMMIT",
        ]

    def shown(self, family: str = "ip") -> list[str]:
        """The lines of ``nft list ruleset`` for these tables; a built-in chain is there since something was put in."""
        lines = []
        for table, chains in self.chains.items():
            lines.append(f"table {family} {table} {{")
            for name, rules in chains.items():
                hook = HOOKS[table].get(name)
                if hook is None or (table, name) in self.hooked:
                    lines += [f"chain {name} {{", *([hook] if hook else [])]
                    lines += [*(rule.shown(family) for rule in rules), "}"]
            lines.append("}")
        return lines
