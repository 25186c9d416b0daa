"""The kernel's packet filter: runs the very text that iptables-save and nft print. Pure."""

from kubemini.host.linux.netfilter import iptables, nft
from kubemini.host.linux.netfilter.ruleset import Ruleset

__all__ = ["Ruleset", "load"]


def load(ruleset: Ruleset, text: str) -> None:
    """Add what *text* says, be it of iptables-save or of ``nft list ruleset``.

    ValueError with the line that cannot be understood.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or not lines[0].startswith("table "):
        iptables.load(ruleset, lines)
    else:
        for table, objects in nft.parse(text).items():
            nft.load(ruleset, objects, table)
    if lines:
        ruleset.check_loops()
