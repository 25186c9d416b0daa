"""The kinds of arguments that commands take: how each is read, and where the cluster must know it.

Invariant: what is read here is of one type, whatever a file, a command line or a widget wrote.
"""

import re
from collections.abc import Callable
from typing import Any

from kubemini.api.manifests import ManifestError, load
from kubemini.cluster import Cluster
from kubemini.commands.command import Argument, FaultError
from kubemini.ranges import shown
from kubemini.sim.units import DAY, duration

LONGEST = 100 * 365 * DAY
INT32 = 2**31 - 1  # replicas
INT64 = 2**63 - 1  # revisions
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")  # of an API object; the API server knows the fine print


# -- values ----------------------------------------------------------------------------------------
def read_duration(value: Any) -> int:
    """Microseconds, up to a hundred years."""
    try:
        micros = duration(value)
    except ValueError as error:
        raise FaultError(str(error)) from None
    if micros > LONGEST:
        raise FaultError(f"{shown(value)} is longer than 100 years; write less, such as 60s")
    return micros


def read_share(value: Any) -> float:
    """A number from 0 to 1."""
    try:
        share = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        share = float("nan")
    if not 0 <= share <= 1:
        raise FaultError(f"expected a share from 0 to 1, got {shown(value)}")
    return share


def read_text(value: Any) -> str:
    """Text, or a number that is meant as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FaultError(f'expected text, got {shown(value)}: put it in quotes, such as "yes"')
    text = str(value)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise FaultError(f"expected text, got {shown(value)}: it holds half a character")
    return text


def read_word(value: Any) -> str:
    """The name of something in the cluster."""
    if not isinstance(value, str):
        raise FaultError(f"expected a name, got {shown(value)}")
    return value


def read_names(value: Any) -> tuple[str, ...]:
    """Names with commas between them."""
    if not isinstance(value, str):
        raise FaultError(f"expected names with commas between them, got {shown(value)}")
    return tuple(name.strip() for name in value.split(",")) if value else ()


def read_object_name(value: Any) -> str:
    """The name of an API object."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > 253 or not _NAME.fullmatch(text):
        wanted = "small letters, digits, '-' and '.', such as web-1"
        raise FaultError(f"expected the name of an object, that is {wanted}; got {shown(value)}")
    return text


def read_placed_name(value: Any) -> str:
    """The name of an API object in the namespace default, or ``namespace/name``."""
    if not isinstance(value, str) or value.count("/") != 1:
        return read_object_name(value)
    return "/".join(read_object_name(part) for part in value.split("/"))


def count(what: str, most: int) -> Argument:
    """A whole number from 0 to *most*."""

    def read(value: Any) -> int:
        digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else -1
        if not 0 <= number <= most:
            raise FaultError(f"expected {what}, got {shown(value)}: write a whole number from 0 to {most}")
        return number

    return Argument(read)


def choice(*words: str) -> Argument:
    """One of *words*; "" if it is left out."""

    def read(value: Any) -> str:
        if value not in ("", *words):
            raise FaultError(f"expected {' or '.join(words)}, got {shown(value)}")
        return value

    return Argument(read)


# -- what the cluster must have --------------------------------------------------------------------
def one_of(name: str, known: list[str], what: str) -> None:
    """FaultError with the *known* ones if *name* is none of them."""
    if name not in known:
        there = ", ".join(known) or "none"
        raise FaultError(f"{shown(name)} is not {what} of this cluster; there are: {there}")


def thing(what: str, known: Callable[[Cluster], list[str]]) -> Argument:
    """The name of one of the *known* things of the cluster; "" only where it may be left out."""
    return Argument(read_word, lambda cluster, name: one_of(name, known(cluster), what))


def _hosts_behind(cluster: Cluster, name: str) -> list[str]:
    host = cluster.topology.host_of(name)
    found = [host] if host else [h.name for h in cluster.topology.hosts if h.zone == name]
    if not found:
        known = ", ".join([h.name for h in cluster.topology.hosts] + cluster.zones)
        raise FaultError(f"{shown(name)} is no host, component or zone; there are: {known}")
    return found


def hosts(cluster: Cluster, names: tuple[str, ...]) -> list[str]:
    """The hosts behind *names* of hosts, components or zones, each once."""
    return list(dict.fromkeys(host for name in names for host in _hosts_behind(cluster, name)))


def _check_hosts(cluster: Cluster, names: tuple[str, ...]) -> None:
    hosts(cluster, names)


def members_and_spares(cluster: Cluster) -> list[str]:
    """Where etcd is installed."""
    return [*cluster.topology.members, *cluster.topology.spares]


def _check_members(cluster: Cluster, names: tuple[str, ...]) -> None:
    for number, name in enumerate(names):
        one_of(name, members_and_spares(cluster), "an etcd member, or a spare,")
        if name in names[:number]:
            raise FaultError(f"{name} is named twice; name each member once")


def _check_optional_member(cluster: Cluster, name: str) -> None:
    if name:
        one_of(name, cluster.topology.members, "an etcd member")


def _read_manifests(value: Any) -> str:
    if not isinstance(value, str):
        raise FaultError(f"expected manifests as text, got {shown(value)}")
    try:
        load(value, "the command")
    except ManifestError as error:
        raise FaultError(str(error)) from None
    return value


COMPONENT = thing("a component", lambda cluster: list(cluster.components))
HOST = thing("a host", lambda cluster: list(cluster.hosts))
ZONE = thing("a zone", lambda cluster: cluster.zones)
MEMBER = thing("an etcd member, or a spare,", members_and_spares)
MEMBER_OR_ANY = Argument(read_word, _check_optional_member)
MEMBERS = Argument(read_names, _check_members)
PLACES = Argument(read_names, _check_hosts)
DURATION = Argument(read_duration)
SHARE = Argument(read_share)
TEXT = Argument(read_text)
OBJECT_NAME = Argument(read_object_name)
PLACED_NAME = Argument(read_placed_name)
MANIFESTS = Argument(_read_manifests, rest=True)
