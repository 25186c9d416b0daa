"""Names looked up in a small cluster: the whole walk, who answered, and how long clients do not notice a loss.

A program of a pod in the namespace default asks CoreDNS, which is set up as kubeadm does it and forwards what is not
of the cluster. `walk` is one lookup, with all that was asked; `failing` many clients whose server has gone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

from kubemini.api.objects import freeze
from kubemini.network.decide.dns.coredns import Ask, CoreDNS
from kubemini.network.decide.dns.corefile import STANDARD
from kubemini.network.decide.dns.message import NOERROR, NXDOMAIN, Answer, Question, Record, within
from kubemini.network.decide.dns.resolvconf import GLIBC, NodeDns, ResolvConf, pod_resolv_conf, settings
from kubemini.network.decide.dns.resolver import Outcome, look_up
from kubemini.network.decide.dns.store import DnsAddress, DnsEndpoints, DnsService, NamedPort, Store
from kubemini.sim.chance import Draws
from kubemini.sim.units import SECOND

SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
OUTSIDE, ADDRESS, TTL = "example.com.", "203.0.113.80", 60
HTTP, PG = (NamedPort("http", "TCP", 80),), (NamedPort("pg", "TCP", 5432),)


@dataclass(frozen=True, slots=True)
class Asked:
    """One name of a walk: what was asked together, what came, who decided, and how many questions went outside."""

    name: str
    types: str
    rcode: str
    addresses: tuple[str, ...]
    rule: str
    outside: int


@dataclass(frozen=True, slots=True)
class Walk:
    """A lookup: its steps, and what the program was told; *seconds* it waited for answers that did not come."""

    name: str
    steps: tuple[Asked, ...]
    addresses: tuple[str, ...]
    error: str
    queries: int
    seconds: float

    @property
    def outside(self) -> int:
        """How many questions left the cluster."""
        return sum(step.outside for step in self.steps)

    def __str__(self) -> str:
        width = max((len(step.name) for step in self.steps), default=0)
        lines = [f"{step.name:{width}}  {step.types:6}  {step.rcode}" for step in self.steps]
        told = ", ".join(self.addresses) or self.error
        return "\n".join([*lines, f"{self.name}: {told} ({self.queries} questions)"])


def shop() -> Store:
    """The cluster: web in default and prod, a database without a cluster IP in data, of which one pod is not ready."""
    services = [
        DnsService("default", "kubernetes", ("10.96.0.1",), (NamedPort("https", "TCP", 443),)),
        DnsService("default", "web", ("10.96.7.1",), HTTP),
        DnsService("prod", "web", ("10.96.7.2",), HTTP),
        DnsService("data", "db", ("None",), PG),
        DnsService("data", "spare", ("None",), PG),
        DnsService("default", "partner", ("",), HTTP, "api.example.com"),
    ]
    ready = (DnsAddress("10.244.1.20", "db-0", "db-0"), DnsAddress("10.244.2.21", "db-1", "db-1"))
    return Store(
        {(service.namespace, service.name): service for service in services},
        {("data", "db"): [DnsEndpoints("data", "db", ready, PG)]},
        namespaces=frozenset(("default", "prod", "data", "kube-system")),
    )


def server(corefile: str = STANDARD) -> CoreDNS:
    """A CoreDNS that knows the shop."""
    found = CoreDNS(corefile, ("198.51.100.53",))
    found.store = shop()
    return found


def outside(ask: Ask) -> Answer:
    """The name server outside: it knows example.com and what is below."""
    question = ask.question
    known = within(OUTSIDE, question.name)
    if known and question.type == "A":
        return Answer(NOERROR, (Record(question.name, TTL, "A", ADDRESS),), ra=True, rule="the name server outside")
    soa = (Record(".", TTL, "SOA", ". . 1 2 3 4 60"),)
    rcode = NOERROR if known else NXDOMAIN
    return Answer(rcode, authority=soa, ra=True, rule="the name server outside: no such name, or type")


Lost = Callable[[int], bool]  # whether the n-th question gets no answer


def nothing(_: int) -> bool:
    """No packet is lost."""
    return False


def walk(name: str, ndots: int = 5, libc: str = GLIBC, coredns: CoreDNS | None = None, lost: Lost = nothing) -> Walk:
    """Look *name* up in a pod of the namespace default; *lost* says which questions get no answer."""
    own = {"options": [{"name": "ndots", "value": str(ndots)}]}
    pod = {"metadata": {"namespace": "default"}, "spec": {"dnsConfig": own}}
    return walk_with(name, pod_resolv_conf(freeze(pod), NodeDns())[0], libc, coredns or server(), lost)


def twice(name: str, ndots: int, libc: str, later: int = 10) -> tuple[Walk, Walk]:
    """The first lookup and one *later* seconds later, at the same CoreDNS."""
    coredns = server()
    first = walk(name, ndots, libc, coredns)
    coredns.now = later * SECOND
    return first, walk(name, ndots, libc, coredns)


def walk_with(name: str, conf: ResolvConf, libc: str, coredns: CoreDNS, lost: Lost = nothing) -> Walk:
    """Look *name* up where *conf* is the resolv.conf; only a name server of the cluster knows the shop."""
    steps = look_up(name, settings(conf, libc), libc)
    seen: dict[str, list[tuple[Answer, int]]] = {}
    waited = number = 0
    try:
        wanted = next(steps)
        while True:
            got: dict[str, Answer] = {}
            for question in wanted.questions:
                if not lost(number):
                    inside = wanted.servers[0] in NodeDns().cluster_dns
                    got[question.type], went = answered(coredns if inside else None, question)
                    seen.setdefault(question.name, []).append((got[question.type], went))
                number += 1
            took = 0 if wanted.questions and len(got) == len(wanted.questions) else wanted.wait
            waited += took
            wanted = steps.send((got, took))
    except StopIteration as done:
        return told(name, done.value, seen, waited)


def answered(asked: CoreDNS | None, question: Question) -> tuple[Answer, int]:
    """The answer of CoreDNS, or of the server outside, and how many questions had to leave the cluster for it."""
    went: list[Ask] = []

    def counted(ask: Ask) -> Answer:
        went.append(ask)
        return outside(ask)

    if asked is None:
        return counted(Ask("", question, question.tcp)), 1
    return asked.ask(question, counted), len(went)


def told(name: str, outcome: Outcome, seen: dict[str, list[tuple[Answer, int]]], waited: int) -> Walk:
    """The walk with the answers to each of its names."""
    steps = tuple(
        Asked(
            step.name,
            step.types,
            "NODATA" if step.rcode == NOERROR and not any(a.addresses for a, _ in seen[step.name]) else step.rcode,
            tuple(dict.fromkeys(address for answer, _ in seen.get(step.name, ()) for address in answer.addresses)),
            step.rule,
            sum(went for _, went in seen.get(step.name, ())),
        )
        for step in outcome.walk
    )
    return Walk(name, steps, outcome.addresses, outcome.error, outcome.queries, waited / SECOND)


# -- how long nobody notices -------------------------------------------------------------------------
def failing(ttl: float, rate: float, clients: int = 400, seed: int = 1, seconds: int = 60) -> list[float]:
    """The share of requests that fail in each second after the name server has gone.

    Each of *clients* asks *rate* times a second, at random (Poisson), and keeps an answer *ttl* seconds.
    """
    asked, failed = [0] * seconds, [0] * seconds
    for client in range(clients):
        draws, number, until = Draws(seed, f"names/{client}"), 0, -1e9
        at = -4 * ttl - (ttl + 1 / rate) * draws.u(0) / 2**64  # they have not begun together
        while at < seconds:
            number += 1
            at += -log(1 - draws.u(number) / 2**64) / rate
            if at >= until and at < 0:
                until = at + ttl
            if 0 <= at < seconds:
                asked[int(at)] += 1
                failed[int(at)] += at >= until
    return [bad / all_ if all_ else 0.0 for bad, all_ in zip(failed, asked, strict=True)]


def failing_expected(ttl: float, rate: float, at: float) -> float:
    """The same in theory: an answer is renewed by the first request after its end, 1/rate later on average."""
    return 1 - max(0.0, ttl - at) / (ttl + 1 / rate)
