"""From hosts to sections: which records of which type an answer has, and in what it differs from a dump of the zone.

Theory of operation. Every type asks `Records.find` for the hosts behind a name and takes those that fit. An alias is
followed: inside the zone by asking again, outside by asking the whole server (a step that may take time, so these are
generators that yield the question and are sent its answer). Nothing fits but the name exists: an empty NOERROR.
coredns plugin/backend_lookup.go, plugin/kubernetes/handler.go.
Simplified: no MX, no zone transfer but its refusal.
"""

from collections.abc import Generator
from dataclasses import replace
from math import floor

from kubemini.network.decide.dns.kubernetes import NAMESERVER, Finding, Found, Records
from kubemini.network.decide.dns.message import (
    NOERROR,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    Answer,
    Question,
    Record,
    address_type,
    normal,
    whole,
    within,
)

LONGEST_CHAIN = 10  # aliases that are followed
REFRESH, RETRY, EXPIRE, LONGEST_SOA = 7200, 1800, 86400, 300

Lookup = Generator[Question, Answer, list[Record]]
Reply = Generator[Question, Answer, Answer | None]


def serve(question: Question, zone: str, names: Records) -> Reply:
    """The plugin's answer in *zone*, or None: it leaves the question to the next plugin.

    Yields what must be asked of the whole server. Models coredns plugin/kubernetes ServeDNS
    """
    zone = question.name[len(question.name) - len(zone) :]  # as it was spelled
    if question.type in ("AXFR", "IXFR"):
        return Answer(REFUSED, rule="kubernetes: no zone transfer")
    answer: list[Record] = []
    extra: list[Record] = []
    apex = question.name.lower() == zone.lower()
    reverse = question.type == "PTR"
    finding = names.reverse(question.name, zone) if reverse else _finding(question, zone, names)
    if question.type == "SOA" and not apex:  # nobody looks whether the name is there
        return Answer(
            NOERROR, authority=(authority(zone, names),), aa=True, rule="kubernetes: an SOA of the zone alone"
        )
    if not finding.exists:
        return _nothing(question, zone, names, finding.rule)
    match question.type:
        case "A" | "AAAA":
            answer = yield from addresses(question, zone, names, [])
        case "SRV":
            answer, extra = service_records(question, finding.hosts)
        case "CNAME":
            answer = [alias(question.name, f) for f in finding.hosts[:1] if address_type(f.host) == "CNAME"]
        case "TXT":
            answer = [Record(question.name, f.ttl, "TXT", f'"{f.text}"') for f in finding.hosts]
        case "PTR":
            targets = {f.host: f for f in finding.hosts}
            answer = [Record(question.name, f.ttl, "PTR", whole(f.host)) for f in targets.values()]
        case "SOA" if apex:
            answer = [authority(zone, names)]
        case "NS" if apex:
            answer, extra = name_servers(question, zone, names)
    if not answer:
        return Answer(NOERROR, authority=(authority(zone, names),), aa=True, rule=finding.rule + "; no such type")
    return Answer(NOERROR, tuple(answer), additional=tuple(extra), aa=True, rule=finding.rule)


def _finding(question: Question, zone: str, names: Records) -> Finding:
    """What decides whether the name exists: a type that Kubernetes lacks is looked for as A."""
    known = question.type in ("A", "AAAA", "SRV", "CNAME", "TXT")
    return names.find(question if known else replace(question, type="A"), zone)


def _nothing(question: Question, zone: str, names: Records, rule: str) -> Answer | None:
    if names.options.falls_through(question.name):
        return None
    soa = (authority(zone, names),)
    if not names.store.synced:
        return Answer(SERVFAIL, authority=soa, aa=True, rule="kubernetes: the first lists have not come")
    return Answer(NXDOMAIN, authority=soa, aa=True, rule=rule)


def addresses(question: Question, zone: str, names: Records, before: list[Record]) -> Lookup:
    """The A or AAAA records of a name, behind the aliases that lead to them; *before*: the aliases so far.

    Models coredns plugin A, AAAA
    """
    records: list[Record] = []
    for found in names.find(question, zone).hosts:
        kind = address_type(found.host)
        if kind == question.type:
            record = Record(question.name, found.ttl, kind, normal(found.host))
            records += [record] if record not in records else []
        elif kind == "CNAME":
            records += yield from _followed(question, zone, names, before, found)
    return records


def _followed(question: Question, zone: str, names: Records, before: list[Record], found: Found) -> Lookup:
    """What an alias leads to. One that leads to nothing inside the zone is not even named."""
    here = alias(question.name, found)
    loop = here.data.lower() == question.name.lower() or any(_same(here, other) for other in before)
    if loop or len(before) > LONGEST_CHAIN:
        return []
    there = replace(question, name=here.data)
    if within(zone, here.data):
        if not names.find(there, zone).exists:
            return []
        records = yield from addresses(there, zone, names, [*before, here])
        return [here, *records] if records else []
    answer = yield replace(there, klass="IN")
    return [here, *answer.answer]


def _same(one: Record, other: Record) -> bool:
    return (one.name.lower(), one.data.lower()) == (other.name.lower(), other.data.lower())


def alias(name: str, found: Found) -> Record:
    """The CNAME from *name* to what an ExternalName stands for."""
    return Record(name, found.ttl, "CNAME", whole(found.host))


def service_records(question: Question, hosts: tuple[Found, ...]) -> tuple[list[Record], list[Record]]:
    """SRV records and the addresses beside them: priority 0, and 100 shared among all of the answer, rounded down.

    Models coredns plugin SRV
    """
    weight = max(1, floor(100 / (100 * len(hosts)) * 100)) if hosts else 0
    answer: dict[tuple[str, int], Record] = {}
    extra: dict[tuple[str, str], Record] = {}
    for found in hosts:
        if found.port < 0:
            continue
        data = f"0 {weight} {found.port} {found.key}"
        answer.setdefault((found.key, found.port), Record(question.name, found.ttl, "SRV", data))
        address = Record(found.key, found.ttl, address_type(found.host), normal(found.host))
        extra.setdefault((found.key, found.host), address)
    return list(answer.values()), list(extra.values())


def name_servers(question: Question, zone: str, names: Records) -> tuple[list[Record], list[Record]]:
    """NS records of the zone, and the addresses beside them.

    Models coredns plugin NS
    """
    found = names.nameservers(zone)
    targets = dict.fromkeys(f.key for f in found)
    extra = [Record(f.key, f.ttl, address_type(f.host), normal(f.host)) for f in found]
    return [Record(question.name, names.options.ttl, "NS", key) for key in targets], extra


def authority(zone: str, names: Records) -> Record:
    """The SOA of *zone*; its last number is how long a resolver may keep a no.

    Models coredns plugin SOA
    """
    ttl, host = names.options.ttl, NAMESERVER + zone
    data = f"{host} hostmaster.{zone} {names.store.serial} {REFRESH} {RETRY} {EXPIRE} {ttl}"
    return Record(zone, min(ttl, LONGEST_SOA), "SOA", data)
