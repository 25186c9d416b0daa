"""nftables as the plugins use it: tables with chains of rules as texts, each with the comment that finds it again.

Models containernetworking/plugins pkg/ip setupIPMasqNFTables
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Chain:
    """A chain: *hook* is its line if the kernel calls it by itself; a rule is (text, comment)."""

    hook: str = ""
    comment: str = ""
    rules: list[tuple[str, str]] = field(default_factory=list)

    def shown(self) -> list[str]:
        """Its lines, as nft shows them."""
        about = [f'comment "{self.comment}"'] if self.comment else []
        rules = [text + (f' comment "{note}"' if note else "") for text, note in self.rules]
        return [*about, *([self.hook] if self.hook else []), *rules]


@dataclass(slots=True)
class Table:
    """A table of a plugin's own."""

    comment: str = ""
    chains: dict[str, Chain] = field(default_factory=dict)

    def chain(self, name: str, hook: str = "", comment: str = "") -> Chain:
        """The chain of that name; it is made if it is not there."""
        return self.chains.setdefault(name, Chain(hook, comment))


@dataclass(slots=True)
class Ruleset:
    """The tables of a host that iptables knows nothing of, by family and name: ``ip cni_hostport``."""

    tables: dict[str, Table] = field(default_factory=dict)

    def table(self, name: str, comment: str = "") -> Table:
        """The table of that name; it is made if it is not there."""
        return self.tables.setdefault(name, Table(comment))

    def rules(self, table: str, chain: str) -> list[tuple[str, str]]:
        """The rules of a chain; none if it is not there."""
        there = self.tables.get(table, Table()).chains.get(chain)
        return there.rules if there else []

    def remove(self, table: str, chain: str, comments: set[str]) -> None:
        """Delete the rules of a chain that carry one of the comments."""
        kept = [rule for rule in self.rules(table, chain) if rule[1] not in comments]
        if kept != self.rules(table, chain):
            self.tables[table].chains[chain].rules = kept

    def shown(self) -> list[str]:
        """The lines of ``nft list ruleset`` for these tables."""
        lines = []
        for name, table in self.tables.items():
            lines += [f"table {name} {{", *([f'comment "{table.comment}"'] if table.comment else [])]
            for chain_name, chain in table.chains.items():
                lines += [f"chain {chain_name} {{", *chain.shown(), "}"]
            lines.append("}")
        return lines
