"""Recordings of DNS: CoreDNS' answers, the walks of glibc and musl, and the older table of CoreDNS' own tests.

A question goes to our CoreDNS with the Corefile that the recording was made with; a name goes through our resolver,
whose questions are answered by our CoreDNS. Of the older table the groups of plugins that are not simulated are left
out: multicluster, autopath, k8s_external.
"""

from functools import partial

from kubemini.network.decide.dns.coredns import Ask, CoreDNS
from kubemini.network.decide.dns.message import NOERROR, NXDOMAIN, Answer, Question, Record, whole, within
from kubemini.network.decide.dns.resolvconf import GLIBC, ResolvConf, settings
from kubemini.network.decide.dns.resolver import look_up
from kubemini.network.decide.dns.store import read_store
from tests.oracles.network.dns import worlds

UPSTREAM_TTL = 60
SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
COREFILE = """
.:53 {{
    kubernetes {zones} {{
        {options}
    }}
    forward . 198.51.100.53
    {cache}
}}
"""
ZONES = "cluster.local in-addr.arpa ip6.arpa"
CACHE = "cache 30 {\n disable success cluster.local\n disable denial cluster.local\n }"
USUAL = ("pods insecure", "fallthrough in-addr.arpa ip6.arpa", "ttl 30")
REPLACED = {"pods": 0, "fallthrough": 1, "ttl": 2}  # the line of the usual stanza that an option stands for
RCODES = {"Success": NOERROR, "NameError": NXDOMAIN, "ServerFailure": "SERVFAIL"}
EXAMPLE = ("example.com.", "203.0.113.80")


def answers(path, data):
    """{case: how to run it} of answers.json or resolver.json."""
    if "names" in data:
        return {
            " ".join(str(n[k]) for k in ("name", "ndots", "options") if k in n): partial(resolved, n)
            for n in data["names"]
        }
    return {f"{a['options']} | {a['q']} | {a['type']}": partial(answered, a) for a in data["answers"]}


def server(options, services, slices, namespaces, pods=(), cache=CACHE, zones=ZONES):
    """Our CoreDNS for these objects; *options* are the lines of its kubernetes stanza."""
    found = CoreDNS(COREFILE.format(zones=zones, options="\n        ".join(options), cache=cache))
    found.store = read_store(services, slices, namespaces, pods)
    return found


def upstream(zone, address, ttl, asked: Ask):
    """A server that knows one address for all names of a zone."""
    question = asked.question
    if within(zone, question.name) and question.type == "A":
        return Answer(NOERROR, (Record(question.name, ttl, "A", address),), ra=True)
    soa = (Record(".", ttl, "SOA", ". . 1 2 3 4 60"),)
    return Answer(NOERROR if within(zone, question.name) else NXDOMAIN, authority=soa, ra=True)


# -- answers.json ----------------------------------------------------------------------------------
def stanza(options):
    """The lines of the kubernetes stanza in a run: the usual ones, one of them replaced, or the one that is named.

    The run of `ignore empty_service` and that of the default TTL were made without the line `ttl`.
    """
    lines = [*USUAL]
    if "(default)" in options or options.startswith("ignore"):
        lines.pop()
    if options != "standard" and "(" not in options:
        key = options.split()[0]
        lines[REPLACED.get(key, len(lines)) : REPLACED.get(key, len(lines)) + 1] = [options]
    return lines


def answered(case):
    """What our CoreDNS answers."""
    objects = worlds.SERVICES, worlds.SLICES, worlds.NAMESPACES, worlds.PODS
    asked = server(stanza(case["options"]), *objects)
    asked.store.local = ("10.96.0.10",)
    answer = asked.ask(Question(case["q"], case["type"]), partial(upstream, *EXAMPLE, UPSTREAM_TTL))
    sections = {
        part: [str(record) for record in getattr(answer, part)] for part in ("answer", "authority", "additional")
    }
    return {"rcode": answer.rcode, "aa": answer.aa, "ra": answer.ra, **sections}


# -- resolver.json ---------------------------------------------------------------------------------
def resolved(case):
    """The walk of our glibc through our CoreDNS."""
    asked = server(USUAL, worlds.SERVICES, worlds.SLICES, worlds.NAMESPACES, worlds.PODS)
    options = (f"ndots:{case['ndots']}", *case.get("options", "").split())
    outcome = walked(case["name"], options, GLIBC, asked, partial(upstream, *EXAMPLE, UPSTREAM_TTL))
    walk = [[step.name, step.types, step.rcode] for step in outcome.walk]
    result = list(outcome.addresses) or {"error": outcome.error}
    return {"queries": outcome.queries, "walk": walk, "result": result}


def walked(name, options, libc, asked, beyond):
    """Look *name* up; the server *asked* answers at once."""
    steps = look_up(name, settings(ResolvConf(("10.96.0.10",), SEARCH, tuple(options)), libc), libc)
    heard = None
    while True:
        try:
            send = steps.send(heard)
        except StopIteration as done:
            return done.value
        heard = {question.type: asked.ask(question, beyond) for question in send.questions}, 0


# -- dns.json --------------------------------------------------------------------------------------
def tables(path, data):
    """{case: () -> [difference]} of the older table."""
    found = {}
    for example in data["spec_examples"]:
        found[f"spec {example['record']}"] = partial(_specified, example)
    for group in data["coredns_cases"]:
        if ask := _group(group):
            for case in group["cases"]:
                name = f"{group['file'].split('/')[-1]}:{group['line']} {case['q']} {case['type']}"
                found[name] = partial(_handled, case, ask)
    for row in data["search_expansion_measured"]:
        found[f"{row['impl']} ndots:{row['ndots']} {row['name']}"] = partial(_measured, row)
    return found


def _specified(example):
    """An example of the specification; priorities and weights are its own (CoreDNS: 0, and 100 shared)."""
    hostnames = "pet" in str(example)
    ends = worlds.ends("default/headless", worlds.SPEC_HOSTNAMES if hostnames else worlds.SPEC_ADDRESSES, ["https:443"])
    asked = server(USUAL, worlds.SPEC_SERVICES, [ends], ("default",))
    answer = asked.ask(Question(example["q"], example["type"]), partial(upstream, "example.com.", "192.0.2.53", 5))
    got = [(f"{r.type} " if r.type != example["type"] or r.type == "A" else "") + r.data for r in answer.answer]
    wanted = [w if w[:2] in ("A ", "CN") else f"A {w}" if example["type"] == "A" else w for w in example["answer"]]
    if example["type"] == "SRV":
        got, wanted = ([" ".join(line.split()[2:]) for line in lines] for lines in (got, wanted))
    return [] if sorted(got) == sorted(wanted) else [f"answer: wanted {wanted}, got {got}"]


def _group(group):
    """How a group of CoreDNS' tests asks, or None: its plugin is not simulated."""
    file = group["file"].removeprefix("plugin/kubernetes/")
    objects = worlds.COREDNS_SERVICES, worlds.COREDNS_SLICES, worlds.COREDNS_NAMESPACES
    pods = [worlds.pod("podns/foo", "10.240.0.1")]
    options = {
        "handler_test.go": ["namespaces testns"],
        "handler_case_test.go": ["namespaces testns"],
        "handler_ignore_emptyservice_test.go": ["namespaces testns", "ignore empty_service"],
        "handler_pod_disabled_test.go": ["pods disabled"],
        "handler_pod_insecure_test.go": ["pods insecure"],
        "handler_pod_verified_test.go": ["pods verified"],
        "kubernetes_apex_test.go": [],
        "reverse_test.go": [],
        "zonal_test.go": ["namespaces testns"],
    }
    if file not in options or "cluster1" in str(group["cases"]):
        return None
    zones = "cluster.local"
    if file == "reverse_test.go":
        zones += " 0.10.in-addr.arpa 168.192.in-addr.arpa 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa"
        zones += " 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.0.0.7.7.0.0.0.0.d.f.ip6.arpa"
        objects = worlds.REVERSE_SERVICES, worlds.REVERSE_SLICES, worlds.COREDNS_NAMESPACES
    lines = options[file]
    if file == "zonal_test.go":
        objects = worlds.ZONAL_SERVICES, worlds.ZONAL_SLICES, worlds.COREDNS_NAMESPACES
        lines = [*lines, *(["zonal"] if len(group["cases"]) > 1 else [])]
    asked = server(lines, *objects, pods, cache="", zones=zones)
    asked.store.local = ("127.0.0.1",)
    asked.store.synced = "ServerFailure" not in str(group["cases"])
    return partial(asked.ask, upstream=partial(upstream, "ext.interwebs.test.", "1.2.3.4", 5))


def _handled(case, ask):
    """One of CoreDNS' tests; of the SOA beside a no only the owner counts, as there."""
    answer = ask(Question(whole(case["q"]), case["type"]))
    differences = []
    if answer.rcode != RCODES[case["rcode"]]:
        differences.append(f"rcode: wanted {case['rcode']}, got {answer.rcode} ({answer.rule})")
    for part in ("answer", "additional", "authority"):
        wanted = sorted(_plain(line, part) for line in case.get(part, ()))
        got = sorted(_plain(str(record), part) for record in getattr(answer, part))
        if wanted != got:
            differences.append(f"{part}: wanted {wanted}, got {got}")
    return differences


def _plain(line, part):
    owner, *words = [word for word in line.replace('"', "").split() if word != "IN"]
    if part == "authority":
        return f"{whole(owner)} {words[1]} {words[2]}"
    if "SOA" in words:
        words[words.index("SOA") + 3] = "<serial>"
    return " ".join([whole(owner), *words])


def _measured(row):
    """A name that a real C library has looked up: how often it asked for what, and what came of it."""
    asked = server(USUAL, worlds.MEASURED_SERVICES, (), ("default", "prod"))
    beyond = partial(upstream, "api.example.com.", "203.0.113.9", 5)
    outcome = walked(row["name"], (f"ndots:{row['ndots']}",), row["impl"], asked, beyond)
    got = {
        "result": outcome.addresses[0] if outcome.addresses else f"ERR {outcome.error}",
        "nqueries": outcome.queries,
        "names": [step.name for step in outcome.walk],
    }
    return [f"{key}: wanted {row[key]}, got {value}" for key, value in got.items() if row[key] != value]
