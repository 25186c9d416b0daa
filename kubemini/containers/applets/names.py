"""nslookup, dig, getent: who asks for names.

busybox networking/nslookup; ISC dig (+short, +search, +tcp, +noall +answer); glibc nss (getent hosts, exit codes).
Simplified: dig prints the records of the answer, and nothing else whatever it is asked for.
"""

from kubemini.containers.applets.common import split
from kubemini.containers.context import Lookup
from kubemini.containers.files import Trouble
from kubemini.containers.process import Ask, Life, Process

NOT_THERE = 2  # of getent: a key was not found
TYPES = ("A", "AAAA", "CNAME", "PTR", "SRV", "TXT", "NS", "SOA")
TABS, SPACES = 24, 16  # how far names stand apart


def nslookup(process: Process) -> Life:
    """The addresses of a name."""
    operands = split(process.argv)[1]
    if not operands:
        return process.complain("Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]")
    came = yield Ask("lookup", operands[0])
    server = f"Server:\t\t{came['server']}\nAddress:\t{came['server']}:53\n\n"
    if not came["addresses"]:
        if came["silent"]:
            process.out(";; connection timed out; no servers could be reached\n\n")
        else:
            process.out(f"{server}** server can't find {operands[0]}: NXDOMAIN\n\n")
        return 1
    lines = "".join(f"Name:\t{came['name']}\nAddress: {address}\n" for address in came["addresses"])
    process.out(f"{server}{lines}\n")
    return 0


def dig(process: Process) -> Life:
    """The records of a name; +short: what they hold."""
    words = process.argv[1:]
    flags = {word.lstrip("+") for word in words if word.startswith("+")}
    plain = [word for word in words if not word.startswith(("+", "-", "@"))]
    types = [word for word in plain if word.upper() in TYPES]
    names = [word for word in plain if word.upper() not in TYPES]
    wanted = Lookup(names[0] if names else ".", (types or ["A"])[0].upper(), "tcp" in flags, "search" in flags)
    came = yield Ask("resolve", wanted)
    if came["silent"]:
        process.out(";; connection timed out; no servers could be reached\n")
        return 9
    for name, ttl, kind, data in came["records"]:
        process.out(f"{data}\n" if "short" in flags else f"{name:<{TABS - 1}}\t{ttl}\tIN\t{kind}\t{data}\n")
    return 0


def getent(process: Process) -> Life:
    """hosts NAME…: what /etc/hosts says of it, else DNS."""
    if len(process.argv) < 3 or process.argv[1] not in ("hosts", "ahosts"):
        return process.complain("usage: getent database [key ...]")
    status = 0
    for name in process.argv[2:]:
        found = named(process, name)
        if not found:
            came = yield Ask("lookup", name)
            found = [(address, name) for address in came["addresses"]]
        process.out("".join(f"{address:<{SPACES}}{names}\n" for address, names in found[:1]))
        status = status if found else NOT_THERE
    return status


def named(process: Process, name: str) -> list[tuple[str, str]]:
    """(address, names) of the lines of /etc/hosts that hold *name*."""
    try:
        text = process.files.read("/etc/hosts").decode("utf-8", "replace")
    except Trouble:
        return []
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return [(words[0], " ".join(words[1:])) for words in lines if name in words[1:]]
