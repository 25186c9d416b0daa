"""What a rule can ask of a packet: the matches of iptables. Pure.

A match is a function of the packet's flight: None lets the rule go on, NO ends it.
Models torvalds/linux net/netfilter/xt_conntrack.c conntrack_mt
Models torvalds/linux net/netfilter/xt_statistic.c statistic_mt
Models torvalds/linux net/netfilter/xt_recent.c recent_mt
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.host.linux.addresses import network, number
from kubemini.host.linux.netfilter.flight import NO, Flight, Outcome, Part
from kubemini.sim.units import SECOND

Options = Mapping[str, tuple[bool, list[str]]]  # option → (is negated, words)
NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "sctp": "132"}
UNSEEN = ("ah", "dccp", "esp", "gre", "icmpv6", "igmp", "ipv6-icmp", "udplite")  # no packet here has it
STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT")
TYPES = ("LOCAL", "MULTICAST", "BROADCAST", "UNICAST")
MOST = 65_535  # the biggest port
MULTICAST, BROADCAST = "224.0.0.0/4", "255.255.255.255"


def destination(text: str) -> tuple[str, str]:
    """Address and port of ``10.0.0.1:80``, ``[fd00::1]:80``, or of an address alone: then the port is empty."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, port.removeprefix(":")
    address, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    return address, port


def asks(test: Callable[[Flight], bool]) -> Part:
    """A part of a rule that only asks."""
    return lambda flight: None if test(flight) else NO


def negated(part: Part) -> Part:
    """The opposite of a part that only asks."""
    return lambda flight: NO if part(flight) is None else None


def among(text: str) -> Callable[[str], bool]:
    """Whether an address is in one of the networks of ``a/8,b/16``."""
    nets = [network(part) for part in text.split(",")]

    def test(address: str) -> bool:
        of, value = number(address)
        return any(of == version and value & mask == base for version, base, mask in nets)

    return test


def ports(text: str) -> Callable[[int], bool]:
    """Whether a port is in ``80``, ``80:90`` or ``80,443,8000:8100``."""
    spans = []
    for part in text.split(","):
        low, _, high = part.replace("-", ":").partition(":")
        span = int(low or 0), int(high or low) if ":" not in part else int(high or MOST)
        if not 0 <= span[0] <= span[1] <= MOST:
            raise ValueError(f"no ports {part!r}; write 80, or 80:90, of at most {MOST}")
        spans.append(span)
    return lambda port: any(low <= port <= high for low, high in spans)


def protocol(name: str) -> Callable[[str], bool]:
    """Whether a protocol is *name*: ``tcp``, ``6``, ``all``."""
    if name in {"all", "0"}:
        return lambda _: True
    if name.lower() not in (*NUMBERS, *UNSEEN) and not name.isdecimal():
        raise ValueError(f"this kernel does not know the protocol {name}; it has: {', '.join(NUMBERS)}")
    words = {key.upper() for key, value in NUMBERS.items() if name.lower() in (key, value)}
    return lambda own: own in words


def device(pattern: str) -> Callable[[str], bool]:
    """Whether an interface is *pattern*: ``eth0``, or ``veth+`` for all that begin so."""
    if pattern.endswith("+"):
        return lambda name: name.startswith(pattern[:-1])
    return lambda name: name == pattern


def _of(make: Callable[[str], Callable[[Any], bool]], read: Callable[[Flight], Any]) -> Callable[[str], Part]:
    """A match that asks what *read* finds in a flight, by the test that *make* makes of its word."""

    def match(text: str) -> Part:
        test = make(text)
        return asks(lambda flight: test(read(flight)))

    return match


def _icmp(text: str) -> Part:
    told = {"echo-request": "echo", "8": "echo", "echo-reply": "reply", "0": "reply"}
    told |= {"fragmentation-needed": "fragmentation needed", "3/4": "fragmentation needed"}
    told |= {"port-unreachable": "port unreachable", "3/3": "port unreachable"}
    wanted = told.get(text)
    if wanted is None:
        raise ValueError(f"this kernel does not know --icmp-type {text}")
    return asks(lambda flight: flight.packet.flags == wanted)


MATCHES: dict[str, Callable[[str], Part]] = {
    "--source": _of(among, lambda flight: flight.packet.source),
    "--destination": _of(among, lambda flight: flight.packet.destination),
    "--protocol": _of(protocol, lambda flight: flight.packet.protocol),
    "--sport": _of(ports, lambda flight: flight.packet.sport),
    "--dport": _of(ports, lambda flight: flight.packet.dport),
    "--in-interface": _of(device, lambda flight: flight.incoming),
    "--out-interface": _of(device, lambda flight: flight.outgoing),
    "--icmp-type": _icmp,
}


# -- modules ---------------------------------------------------------------------------------------
def in_state(words: str) -> Callable[[Flight], bool]:
    """Whether conntrack says one of ``NEW,ESTABLISHED,DNAT``."""
    wanted = set(words.upper().split(","))
    if unknown := sorted(wanted - set(STATES)):
        raise ValueError(f"this kernel does not know the state {unknown[0]}; it has: {', '.join(STATES)}")

    def test(flight: Flight) -> bool:
        tracked = flight.tracked
        if tracked is None:
            return "UNTRACKED" in wanted
        if tracked.state in wanted:
            return True
        entry = tracked.entry
        return entry is not None and (("DNAT" in wanted and entry.dnat) or ("SNAT" in wanted and entry.snat))

    return test


def of_type(name: str, flight: Flight, address: str) -> bool:
    """Whether an address is of a routing type: LOCAL, MULTICAST, BROADCAST, UNICAST."""
    if name == "LOCAL":
        return flight.here.is_local(address)
    if name == "MULTICAST":
        return among(MULTICAST)(address)
    if name == "BROADCAST":
        return address == BROADCAST
    others = ("LOCAL", "MULTICAST", "BROADCAST")
    return name == "UNICAST" and not any(of_type(other, flight, address) for other in others)


def _all(tests: list[tuple[bool, Callable[[Flight], bool]]]) -> Part:
    return asks(lambda flight: all(test(flight) != no for no, test in tests))


def _conntrack(options: Options) -> Part:
    return _all([(no, in_state(words[0])) for no, words in options.values()])


def _addrtype(options: Options) -> Part:
    for _, words in options.values():
        if unknown := sorted(set(words[0].split(",")) - set(TYPES)):
            raise ValueError(f"this kernel does not know the type {unknown[0]}; it has: {', '.join(TYPES)}")

    def source(names: list[str]) -> Callable[[Flight], bool]:
        return lambda f: any(of_type(name, f, f.packet.source) for name in names)

    def destination(names: list[str]) -> Callable[[Flight], bool]:
        return lambda f: any(of_type(name, f, f.packet.destination) for name in names)

    make = {"--src-type": source, "--dst-type": destination}
    return _all([(no, make[key](words[0].split(","))) for key, (no, words) in options.items()])


def _mark(options: Options) -> Part:
    ((no, words),) = options.values()
    text, _, limit = words[0].partition("/")
    value, mask = int(text, 0), int(limit or "0xffffffff", 0)
    return _all([(no, lambda flight: flight.mark & mask == value)])


def _statistic(options: Options) -> Part:
    if options["--mode"][1] != ["random"]:
        raise ValueError("this kernel does not know --mode nth; use --mode random")
    share = float(options["--probability"][1][0])
    return asks(lambda flight: flight.choose((share, 1 - share)) == 0)


def _recent(options: Options) -> Part:
    """One list of addresses: --set writes the source, --rcheck asks for it, --update does both."""
    name = options["--name"][1][0]
    seconds = int(options["--seconds"][1][0]) if "--seconds" in options else 0
    setting = "--set" in options
    fresh = setting or "--update" in options

    def act(flight: Flight) -> Outcome:
        key, recent = (name, flight.packet.source), flight.recent
        at = recent.get(key)
        known = at is not None and (not seconds or flight.now - at <= seconds * SECOND)
        if setting or (known and fresh):
            recent[key] = flight.now
        return None if setting or known else NO

    return act


def _tcp(options: Options) -> Part:
    tests: list[tuple[bool, Callable[[Flight], bool]]] = []
    for key, (no, _) in options.items():
        if key not in {"--syn", "--tcp-flags"}:
            raise ValueError(f"this kernel does not know {key}")
        tests.append((no, lambda flight: flight.packet.flags == "S"))
    return _all(tests)


def _always(_: Options) -> Part:
    return lambda flight: None


MODULES: dict[str, Callable[[Options], Part]] = {
    "conntrack": _conntrack,
    "state": _conntrack,
    "addrtype": _addrtype,
    "mark": _mark,
    "statistic": _statistic,
    "recent": _recent,
    "tcp": _tcp,
    "comment": _always,
    "nfacct": _always,
}
PLAIN = {"", "udp", "sctp", "icmp", "multiport"}  # modules that are no more than their options
