"""Loads the text of iptables-save. Pure.

Every line becomes a rule whose parts do what its words say: first the matches, then the target. The
words known here are those that kube-proxy, the CNI plugins and people use; any other is refused with
its name, as iptables-restore would: a rule that is silently left out decides wrongly.
Models torvalds/linux net/ipv4/netfilter/ip_tables.c ipt_do_table
Simplified: counters, quotas and logging do nothing; a set is a list of networks.
"""

import shlex
from collections.abc import Iterable
from itertools import pairwise

from kubemini.host.linux.addresses import number
from kubemini.host.linux.netfilter.flight import Act, Flight, Part
from kubemini.host.linux.netfilter.matches import MATCHES, MODULES, PLAIN, Options, destination, negated
from kubemini.host.linux.netfilter.ruleset import PRIORITIES, Chain, Rule, Ruleset

PLACES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}
SHORT = {
    "-s": "--source",
    "-d": "--destination",
    "-p": "--protocol",
    "-i": "--in-interface",
    "-o": "--out-interface",
    "--sports": "--sport",
    "--dports": "--dport",
    "--source-ports": "--sport",
    "--destination-ports": "--dport",
    "--source-port": "--sport",
    "--destination-port": "--dport",
    "--state": "--ctstate",
}
POLICIES = ("ACCEPT", "DROP", "-")
JUMPS = ("-j", "--jump", "-g", "--goto")
IGNORED = ("LOG", "NFLOG", "TCPMSS", "CHECKSUM")  # what they do is not seen in a header
SIMPLE = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "RETURN": "return",
    "NOTRACK": "notrack",
    "CT": "notrack",
}
TARGETS = (*IGNORED, *SIMPLE, "MARK", "REJECT", "DNAT", "SNAT", "REDIRECT", "MASQUERADE")


def load(ruleset: Ruleset, lines: Iterable[str]) -> None:
    """Add what *lines* say: ``*table``, ``:CHAIN POLICY``, ``-A CHAIN …`` or ``table -A CHAIN …``.

    ValueError with the line that cannot be understood.
    """
    table = "filter"
    for line in (text.strip() for text in lines):
        first, _, rest = line.partition(" ")
        if not line or line.startswith("#") or line == "COMMIT":
            continue
        if line.startswith("*"):
            table = line[1:]
            _base(ruleset, table)
            continue
        if first in PLACES:
            table, line = first, rest
            _base(ruleset, table)
        _line(ruleset, table, line)


def _base(ruleset: Ruleset, table: str) -> None:
    """The built-in chains of a table that is used for the first time."""
    if table not in PLACES:
        raise ValueError(f"iptables has no table {table!r}; it has: {', '.join(PLACES)}")
    for name in PLACES[table]:
        if (table, name) not in ruleset.chains:
            priority = PRIORITIES.get(table, 0)
            if table == "nat":
                source = name in {"INPUT", "POSTROUTING"}
                priority = PRIORITIES["srcnat" if source else "dstnat"]
            kind = "nat" if table == "nat" else "filter"
            ruleset.chains[table, name] = Chain(table, name, kind=kind, hook=name.lower(), priority=priority)


def _line(ruleset: Ruleset, table: str, line: str) -> None:
    if line.startswith(":"):
        _declare(ruleset, table, line)
        return
    try:
        words = shlex.split(line)
    except ValueError:
        raise ValueError(f"cannot load {line!r}: a quotation is not closed") from None
    if words[:1] != ["-A"] or len(words) < 2:
        raise ValueError(f"cannot load {line!r}: a line is *TABLE, :CHAIN POLICY or -A CHAIN …")
    name = words[1]
    if (table, name) not in ruleset.chains:
        raise ValueError(f"{table} has no chain {name}; declare it with :{name} - before its rules")
    text = line.split(" ", 2)[2] if len(words) > 2 else ""
    try:
        parts = tuple(_parts(words[2:]))
        _check_target(ruleset, table, words)
    except (IndexError, KeyError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else "a word is missing"
        raise ValueError(f"cannot load {line!r}: {missing}") from None
    except ValueError as error:
        raise ValueError(f"cannot load {line!r}: {error}") from None
    ruleset.chains[table, name].rules.append(Rule(text, parts))


def _declare(ruleset: Ruleset, table: str, line: str) -> None:
    """``:CHAIN POLICY``: the policy of a built-in chain, or ``-`` for a chain of one's own."""
    name, policy, *_ = [*line[1:].split(), "", ""]
    if policy not in POLICIES:
        raise ValueError(f"cannot load {line!r}: write :CHAIN and one of {' '.join(POLICIES)}")
    chain = ruleset.chains.setdefault((table, name), Chain(table, name))
    if policy != "-":
        chain.policy = policy.lower()


def _check_target(ruleset: Ruleset, table: str, words: list[str]) -> None:
    """ValueError if the rule jumps to a chain that is not there."""
    target = next((b for a, b in pairwise(words) if a in JUMPS), "")
    if target and target not in TARGETS and (table, target) not in ruleset.chains:
        raise ValueError(f"there is no target {target}; declare the chain with :{target} -")


def _parts(words: list[str]) -> list[Part]:
    """The parts of one rule: a match takes the words that belong to it, the target the rest."""
    parts: list[Part] = []
    module = ""
    options: dict[str, tuple[bool, list[str]]] = {}
    at, no = 0, False
    while at < len(words):
        word = SHORT.get(words[at], words[at])
        if word == "!":
            no = True
            at += 1
            continue
        if word in JUMPS:
            parts += _module(module, options)
            return [*parts, *_target(words[at + 1], words[at + 2 :], goto=word in {"-g", "--goto"})]
        if word == "-m":
            parts += _module(module, options)
            module, options = words[at + 1], {}
            at += 2
            continue
        values = [w for w in words[at + 1 : at + 3] if not w.startswith("-") and w != "!"]
        if word in MATCHES:
            part = MATCHES[word](values[0])
            parts.append(negated(part) if no else part)
            at += 2
        else:
            taken = _arguments(word, words[at + 1 :])
            options[word] = (no, taken)
            at += 1 + len(taken)
        no = False
    return parts + _module(module, options)


def _arguments(option: str, after: list[str]) -> list[str]:
    """The words that belong to an option of a match: none for a switch, two for --tcp-flags."""
    if option in {"--set", "--rcheck", "--update", "--reap", "--rsource", "--rdest", "--syn"}:
        return []
    return after[: 2 if option == "--tcp-flags" else 1]


def _module(name: str, options: Options) -> list[Part]:
    """The part of ``-m name`` with its options, if the module is more than its options."""
    if name in MODULES:
        return [MODULES[name](options)]
    if options or name not in PLAIN:
        what = ", ".join(options) or f"-m {name}"
        raise ValueError(f"this kernel does not know {what}")
    return []


def _target(name: str, words: list[str], goto: bool) -> list[Part]:
    """What is done with a packet that matched."""
    options = dict(zip(words, [*words[1:], ""]))
    if name in IGNORED:
        return []
    if name == "MARK":
        return [_mark(options)]
    if name in SIMPLE:
        act = Act(SIMPLE[name])
    elif name == "REJECT":
        act = Act("reject", to=options.get("--reject-with", "icmp-port-unreachable"))
    elif name == "DNAT":
        address, port = destination(options["--to-destination"])
        number(address)  # or ValueError
        act = Act("dnat", address=address, port=int(port or 0))
    elif name == "SNAT":
        act = Act("snat", address=destination(options["--to-source"])[0])
        number(act.address)
    elif name == "REDIRECT":
        act = Act("dnat", port=int(options.get("--to-ports", "0")))
    elif name == "MASQUERADE":
        low, _, high = options.get("--to-ports", "").partition("-")
        act = Act("masquerade", ports=(int(low), int(high or low)) if low else None)
    else:
        act = Act("goto" if goto else "jump", to=name)
    return [lambda flight: act]


def _mark(options: dict[str, str]) -> Part:
    """Models torvalds/linux net/netfilter/xt_mark.c mark_tg: clear the mask's bits, then xor."""
    option, value = next(((k, v) for k, v in options.items() if k.startswith("--")), ("MARK", ""))
    text, _, limit = value.partition("/")
    bits, mask = int(text or "0", 0), int(limit or "0xffffffff", 0)
    changes = {
        "--set-xmark": (mask, bits),
        "--set-mark": (mask | bits, bits),
        "--or-mark": (bits, bits),
        "--and-mark": (~bits & 0xFFFFFFFF, 0),
        "--xor-mark": (0, bits),
    }
    if option not in changes:
        raise ValueError(f"this kernel does not know {option} here; use one of {', '.join(changes)}")
    clear, flip = changes[option]

    def act(flight: Flight) -> None:
        flight.mark = (flight.mark & ~clear) ^ flip

    return act
