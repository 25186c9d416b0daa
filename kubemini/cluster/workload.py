"""Steady clients and a webhook, as a scenario asks for them: which there are, what each may be told, how it is checked.

Invariant: a load that was read can run in this topology, and nothing of what was asked is ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.cluster.topology.spec import WORKER, Topology
from kubemini.network.decide.dns.resolvconf import LIBCS
from kubemini.network.decide.services.ports import DOORS
from kubemini.ranges import Choice, Count, Duration, Legal, Switch, Unfit, shown
from kubemini.sim.units import DAY, MS
from kubemini.users.decide.clients import Custom, Habits, Patience

EVERY = Duration(MS, 365 * DAY, "s")
DEFAULT_EVERY = "500ms"
SIZE = Count(0, 10 * 1024 * 1024)  # etcd itself refuses more than 1.5 MiB; so much can be tried
REMEMBER = Duration(0, 365 * DAY, "s")
LIBC = Choice(LIBCS)
PORT = Count(1, 65535)
CONSISTENCY = Choice(("linearizable", "serializable"))
DOOR = Choice(DOORS)
FROM = Choice(("workers", "outside"))
HABITS: dict[str, Legal] = {"http2": Switch(), "idle": Count(0, 10_000), "most": Count(0, 10**6)}
PATIENCE: dict[str, Legal] = {
    "timeout": Duration(MS, DAY),
    "retries": Count(0, 1000),
    "base": Duration(MS, DAY),
    "cap": Duration(MS, DAY),
    "jitter": Switch(),
    "budget": Count(0, 10_000),
}
SAID_OF_CLIENTS: dict[str, Legal] = {"together": Switch(), **HABITS, **PATIENCE}
LOOKING_UP = ("name", "libc", "options", "remember", "port")
OPTIONS: dict[str, tuple[str, ...]] = {
    "visitors": ("service", "every", "door", "from", *LOOKING_UP),
    "callers": ("pods", "services", "every", "keep", "names", "options"),
    "clients": ("pods", "service", "every", *SAID_OF_CLIENTS),
    "outsiders": ("urls", "every"),
    "webhook": ("service",),
    "api_writes": ("every",),
    "etcd_writes": ("every", "member", "size"),
    "etcd_reads": ("every", "member", "consistency"),
}

NAMED = {"pods": "workloads", "services": "Services"}


class WorkloadError(ValueError):
    """A load that this cluster cannot have; the message names it and what would be right."""


@dataclass(frozen=True, slots=True)
class Load:
    """A request of *kind* every *every* µs."""

    kind: str
    every: int
    options: dict[str, Any]


def read_workload(topology: Topology, workload: Any) -> list[Load]:
    """The loads of a scenario's ``workload:``. Raises WorkloadError."""
    if not isinstance(workload, Mapping):
        raise WorkloadError(f"workload: expected a mapping of {', '.join(OPTIONS)}, got {shown(workload)}")
    return [_read_load(topology, kind, options) for kind, options in workload.items()]


def names_in(text: str) -> list[str]:
    """The names in *text*, which stand there with commas."""
    return [name.strip() for name in text.split(",")]


def refuse_without_api_server(topology: Topology, what: str) -> None:
    """WorkloadError if *what* needs an API server and there is none."""
    if not topology.api_servers:
        instead = "leave it out, or take a topology that has one, such as single"
        raise WorkloadError(f"{what}: an etcd topology has no API server; {instead}")


def _read_load(topology: Topology, kind: Any, options: Any) -> Load:
    where = f"workload.{kind}"
    if kind not in OPTIONS:
        raise WorkloadError(f"workload: {shown(kind)} is not known here; there are: {', '.join(OPTIONS)}")
    if not isinstance(options, Mapping):
        raise WorkloadError(f"{where}: expected a mapping of {', '.join(OPTIONS[kind])}, got {shown(options)}")
    if kind in ("visitors", "callers", "clients", "outsiders", "webhook", "api_writes"):
        refuse_without_api_server(topology, where)
    values = {name: _read_option(topology, where, kind, name, value) for name, value in options.items()}
    if kind == "visitors":
        _check_visitors(topology, where, values)
    if kind == "callers":
        _check_callers(topology, where, values)
    if kind == "clients":
        _check_clients(topology, where, values)
    if kind == "outsiders":
        _check_outsiders(topology, where, values)
    if kind == "webhook" and values.get("service", "").count("/") != 1:
        raise WorkloadError(f"{where}: service is missing; write NAMESPACE/NAME, such as guard/guard")
    every = values.pop("every", None)
    return Load(kind, EVERY.read(DEFAULT_EVERY) if every is None else every, values)


def _check_visitors(topology: Topology, where: str, values: Mapping[str, Any]) -> None:
    if "service" not in values:
        raise WorkloadError(f"{where}: service is missing; it is the name of a Service")
    if not any(host.role == WORKER for host in topology.hosts):
        raise WorkloadError(f"{where}: visitors sit on workers and this topology has none; ask for workers: 1 or more")
    if values.get("from") == "outside" and not topology.of("visitor@outside"):
        raise WorkloadError(f"{where}.from: nobody is outside this topology; ask for outside: 1 in it")
    if "name" in values and not topology.of("coredns@"):
        raise WorkloadError(f"{where}.name: nobody answers names in this topology; say dns: coredns in it")
    if "name" in values and ("door" in values or values.get("from") == "outside"):
        raise WorkloadError(f"{where}.name: a name leads to the cluster IP, from workers; leave out door and from")
    unused = [name for name in LOOKING_UP if name in values and "name" not in values]
    if unused:
        raise WorkloadError(f"{where}.{unused[0]}: these visitors look nothing up; say what with name, such as web")


def _check_callers(topology: Topology, where: str, values: Mapping[str, Any]) -> None:
    for name in NAMED:
        if name not in values:
            raise WorkloadError(f"{where}: {name} is missing; it names {NAMED[name]}, such as web,api")
    if "options" in values and not values.get("names"):
        raise WorkloadError(f"{where}.options: these callers look nothing up; say names: true, or leave it out")
    if values.get("names") and not topology.of("coredns@"):
        raise WorkloadError(f"{where}.names: nobody answers names in this topology; say dns: coredns in it")
    if not topology.of("callers@"):
        raise WorkloadError(f"{where}: no pod of this topology calls another; ask for callers: true, and for workers")


def _check_clients(topology: Topology, where: str, values: Mapping[str, Any]) -> None:
    for name, what in (
        ("pods", "the workload whose pods send requests, or several with commas"),
        ("service", "the name of a Service"),
    ):
        if name not in values:
            raise WorkloadError(f"{where}: {name} is missing; it is {what}")
    if not topology.of("clients@"):
        raise WorkloadError(
            f"{where}: no pod of this topology keeps connections; ask for topology: {{kind: single, clients: true}}"
        )


def allow(review: Mapping[str, Any]) -> dict[str, Any]:
    """What the pods behind a scenario's webhook say of each write: yes."""
    return {**review, "response": {"uid": review["request"]["uid"], "allowed": True}}


def custom(load: Load) -> Custom:
    """What *load* of the kind clients asks of their pods."""
    said = load.options
    habits = Habits(**{name: said[name] for name in HABITS if name in said})
    patience = Patience(**{name: said[name] for name in PATIENCE if name in said})
    return Custom(
        tuple(names_in(said["pods"])), said["service"], load.every, said.get("together", False), habits, patience
    )


def _check_outsiders(topology: Topology, where: str, values: Mapping[str, Any]) -> None:
    if "urls" not in values:
        raise WorkloadError(f"{where}: urls is missing; it is a list such as [shop.example/, shop.example/cart]")
    if not topology.of("ingress@"):
        raise WorkloadError(
            f"{where}: there is no way in from outside; ask for topology: {{kind: single, ingress: true}}"
        )


def _read_option(topology: Topology, where: str, kind: str, name: Any, value: Any) -> Any:
    where = f"{where}.{name}"
    if name not in OPTIONS[kind]:
        raise WorkloadError(f"{where} is not known here; there are: {', '.join(OPTIONS[kind])}")
    if name in SAID_OF_CLIENTS:
        return _fitting(where, SAID_OF_CLIENTS[name], value)
    match name:
        case "every":
            return _fitting(where, EVERY, value)
        case "remember":
            return _fitting(where, REMEMBER, value)
        case "port":
            return _fitting(where, PORT, value)
        case "libc":
            return _fitting(where, LIBC, value)
        case "size":
            return _fitting(where, SIZE, value)
        case "consistency":
            return _fitting(where, CONSISTENCY, value)
        case "door":
            return _fitting(where, DOOR, value)
        case "from":
            return _fitting(where, FROM, value)
        case "member":
            known = [*topology.members, *topology.spares]
            if value not in known:
                there = ", ".join(known)
                raise WorkloadError(
                    f"{where}: {shown(value)} is not an etcd member of this cluster; there are: {there}"
                )
        case "keep" | "names":
            if not isinstance(value, bool):
                raise WorkloadError(f"{where}: expected true or false, got {shown(value)}")
        case "pods" | "services":
            if not isinstance(value, str) or not 0 < len(value) < 256 or not all(names_in(value)):
                raise WorkloadError(f"{where}: expected {NAMED[name]} with commas, such as web,api, got {shown(value)}")
        case "name" | "options":
            if not isinstance(value, str) or not 0 < len(value) < 254:
                example = "web.default" if name == "name" else "ndots:2 timeout:1"
                raise WorkloadError(f"{where}: expected a text such as {example}, got {shown(value)}")
        case "urls":
            if not isinstance(value, list) or not value or not all(isinstance(url, str) and url for url in value):
                raise WorkloadError(f"{where}: expected a list such as [shop.example/cart], got {shown(value)}")
        case "service":
            if not isinstance(value, str) or not 0 < len(value) < 128:
                raise WorkloadError(
                    f"{where}: expected the name of a Service, such as web or shop/web, got {shown(value)}"
                )
    return value


def _fitting(where: str, legal: Legal, value: Any) -> Any:
    found: Any = None
    try:
        found = legal.read(value)
    except Unfit as error:
        raise WorkloadError(f"{where}: expected {legal}; {error}") from None
    if legal is EVERY and found < MS:
        raise WorkloadError(f"{where}: the shortest interval is 1ms, got {shown(value)}")
    if not legal.fits(found):
        raise WorkloadError(f"{where}: expected {legal}, got {shown(value)}")
    return found
