"""Chapter 15, Pods and Services: labels, rules, chance.

services.missing        manifests whose Service finds no pod: make it find three
services.broad          manifests whose Service finds too many: visits go to the database
services.probabilities  the chances in kube-proxy's chain of iptables rules, chi-squared on 30,000 connections

Invariant: manifests are judged by what the cluster does with them, so every repair that works is right.
"""

from collections import Counter
from typing import Any

from kubemini.api.manifests import ManifestError
from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.network import dataplane as kernel
from kubemini.network.decide import iptables
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.sim.chance import Stream
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND

PREDICTIONS: dict[str, dict[str, Any]] = {
    "crash": {
        "question": "kube-proxy of worker-1 crashes at 20 s, nothing else changes. What do visits from worker-1 meet?",
        "choices": [
            "All fail: their proxy is gone",
            "All succeed",
            "They go through the kube-proxy of worker-2",
            "Only pods of worker-1 can be reached",
        ],
        "answer": 1,
        "explain": "No packet ever passed kube-proxy. It left rules in the kernel, and the kernel keeps them.",
    },
    "change": {
        "question": "At 35 s the shop is scaled from 3 pods to 1, kube-proxy of worker-1 still down. And now?",
        "choices": [
            "Nothing fails: the Service knows that two pods are gone",
            "Some visits from worker-1 fail, none from worker-2",
            "Some visits fail, from both workers alike",
            "All visits from worker-1 fail",
        ],
        "answer": 1,
        "explain": "The Service is up to date in the API and in worker-2's kernel. Worker-1 follows rules of 20 s ago.",
    },
}

MISSING = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: shop, tier: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
"""
BROAD = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop, tier: web}}
  template:
    metadata: {labels: {app: shop, tier: web}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop, tier: db}}
  template:
    metadata: {labels: {app: shop, tier: db}}
    spec: {containers: [{name: db, image: "shop/db:1.0"}]}
"""
SEEDS = range(1, 6)
OPEN, END = 15, 30  # seconds: everything has started; the end of a trial


# -- services.missing, services.broad ------------------------------------------------------------------------------
@exercise("services.missing")
def check_missing(answer: Any) -> Report:
    """The manifests are applied; three pods of web must take all visits."""
    return _judge(answer, {"web": 3})


@exercise("services.broad")
def check_broad(answer: Any) -> Report:
    """The same, beside a database of two pods that must go on running and get no visit."""
    return _judge(answer, {"web": 3, "db": 2})


def _judge(answer: Any, wanted: dict[str, int]) -> Report:
    if not isinstance(answer, str):
        raise NotYet(f"Give check() the text of the manifests; it got {type(answer).__name__}.")
    total: Counter[str] = Counter()
    for seed in SEEDS:
        trace = trial(answer, seed)
        refusals = [r for r in trace.of("request") if r.detail["kind"] == "api" and r.detail["outcome"] != "ok"]
        if refusals:
            raise NotYet(f"The API server refuses a manifest: {refusals[0].detail['why']}")
        for name, count in wanted.items():
            _control(trace, name, count)
        total += dealt(trace)
    strangers = {pod: n for pod, n in total.items() if not pod.startswith("web-")}
    facts = (f"{sum(total.values())} visits in {len(SEEDS)} runs", _shares(total))
    if not set(total) - set(strangers):
        raise NotYet(
            f"{sum(wanted.values())} pods run, and the Service web has no endpoint among those of web.",
            *facts,
            next="Hold the selector of the Service against the labels of the Pods, word by word.",
        )
    if strangers:
        lost = sum(strangers.values())
        raise NotYet(
            f"{lost} of {sum(total.values())} visits go to pods that are not the shop.",
            *facts,
            next="The selector fits more pods than it should. Which label do only the right ones carry?",
        )
    return Report("pass", facts, "A Service sends to whatever carries its labels: no more knowledge, no less.")


def trial(manifests: str, seed: int) -> Trace:
    """A cluster of two workers to which *manifests* are applied, with two visitors of the Service web.

    Raises NotYet with the parser's sentence if they cannot be read.
    """
    cluster = Cluster.single(workers=2, seed=seed, zones=["a"])
    try:
        cluster.prepare(manifests, {"visitors": {"service": "web", "every": "250ms"}})
    except ManifestError as error:
        raise NotYet(str(error)) from None
    return cluster.run(END)


def _control(trace: Trace, name: str, count: int) -> None:
    """Nothing else was changed: *count* pods of the Deployment run. Raises NotYet."""
    running: set[str] = set()
    for record in trace.of("pod"):
        (running.add if record.detail["state"] == "running" else running.discard)(record.detail["name"])
    found = sum(pod.startswith(f"{name}-") for pod in running)
    if found != count:
        raise NotYet(f"{found} pods of {name} run; {count} must: change labels or selectors, and nothing else.")


def dealt(trace: Trace, begin: float = OPEN) -> Counter[str]:
    """How many visits each pod was dealt since *begin* (seconds); "nobody" counts those without any endpoint."""
    asked = [r for r in trace.of("request") if r.detail["kind"] == "service" and r.detail["started"] >= begin * SECOND]
    return Counter(_receiver(r) for r in asked)


def _receiver(visit: Record) -> str:
    return visit.detail["via"][-1] if len(visit.detail["via"]) > 1 else "nobody"


def _shares(counts: Counter[str]) -> str:
    """Visits by Deployment, the name of a pod without its two suffixes."""
    groups: Counter[str] = Counter()
    for pod, n in counts.items():
        groups[pod.rsplit("-", 2)[0]] += n
    return ", ".join(f"{n} to {name}" for name, n in sorted(groups.items())) or "there is nobody to visit"


def chain(host: str) -> list[str]:
    """The lines in which the kernel of *host* picks a pod of web, 20 s into the scenario ``services``."""
    scenario = load("services")
    cluster = Cluster(scenario.topology, scenario.seed, scenario.params)
    cluster.prepare(scenario.manifests)
    cluster.run(20)
    rule = kernel.rules(cluster.hosts[host])["default/web"]
    return [line for line in iptables.text(rule) if "->" in line]


# -- services.probabilities ----------------------------------------------------------------------------------------
CONNECTIONS = 30_000
CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 9: 27.88}  # chi-squared, 99.9 %, by degrees of freedom


@exercise("services.probabilities")
def check_probabilities(answer: Any) -> Report:
    """The learner's chances, tried in order as the kernel does, must deal 30,000 connections evenly."""
    facts = []
    for n in (1, 2, 3, 4, 5, 10):
        chances = _numbers(ask(answer, n), n)
        counts, fell = deal(chances, CONNECTIONS)
        if fell:
            raise NotYet(
                f"With {n} endpoints {fell} of {CONNECTIONS} connections fall past the last rule and reach nobody.",
                f"your chances: {_few(chances)}",
                next="A rule is asked only about what all rules before it let pass. The last takes the rest.",
            )
        statistic = sum((c - CONNECTIONS / n) ** 2 for c in counts) / (CONNECTIONS / n)
        if n > 1 and statistic > CRITICAL[n - 1]:
            raise NotYet(
                f"With {n} endpoints the connections are dealt {counts}: chi-squared {statistic:.1f}, "
                f"a fair deal stays below {CRITICAL[n - 1]} in 999 of 1,000 cases.",
                f"your chances: {_few(chances)}",
                next="Of what reaches rule i, it must take one in as many as there are endpoints still to come.",
            )
        facts.append(f"{n} endpoints: {_few(chances)}; chi-squared {statistic:.1f}")
    return Report(
        "pass", tuple(facts), "Unequal chances, equal shares: each rule asks only about what the others left."
    )


def _numbers(value: Any, n: int) -> list[float]:
    if not isinstance(value, list | tuple) or not all(isinstance(p, int | float) for p in value):
        raise NotYet(f"probabilities({n}) returns a list of numbers; it returned {value!r}.")
    if len(value) != n:
        raise NotYet(f"probabilities({n}) has one chance an endpoint, so {n}; it returned {len(value)}.")
    if not all(0 <= p <= 1 for p in value):
        raise NotYet(f"A chance runs from 0 to 1; probabilities({n}) returned {_few(list(value))}.")
    return list(value)


def deal(chances: list[float], connections: int) -> tuple[list[int], int]:
    """How many *connections* each rule takes, tried in order, and how many fall past all of them."""
    counts, fell = [0] * len(chances), 0
    draw, number = Stream(1, f"deal/{len(chances)}"), 0
    for _ in range(connections):
        for i, chance in enumerate(chances):
            number += 1
            if chance >= 1 or draw.chance(number, chance):
                counts[i] += 1
                break
        else:
            fell += 1
    return counts, fell


def _few(numbers: list[float]) -> str:
    shown = [f"{p:.4f}" for p in numbers[:5]]
    return ", ".join(shown + ["…"] * (len(numbers) > 5))


# -- questions -----------------------------------------------------------------------------------------------------
questions(
    "services.warm-up",
    Question(
        "Which program must live for a new pod to receive its first visit, beside those that start it?",
        {
            "kube-proxy of the visitor's host": "It turns the new endpoint into a rule of that host's kernel.",
            "The scheduler": "Its work was done when the pod had a node.",
            "The kubelet of the visitor's host": "It looks after pods, not after routes.",
        },
        answer="kube-proxy of the visitor's host",
    ),
    Question(
        "3 etcd members, 1 has crashed. What do visits to the shop notice?",
        {
            "A short gap": "Writes may pause for a second or two if it was the leader. Visits read nothing from etcd.",
            "Nothing": "Neither etcd nor an API server stands in the way of a visit.",
            "A third of them fail": "Members do not serve visits.",
        },
        answer="Nothing",
    ),
    Question(
        "The only API server is down and a worker dies. Why do visits fail for minutes?",
        {
            "Its pods stay in the rules of the other kernels": "Nobody can write that they are gone, so nobody can "
            "read it.",
            "The kernel needs minutes to find another pod": "It never looks for another one.",
            "The Service has died with it": "A Service is data: it has no place of its own.",
        },
        answer="Its pods stay in the rules of the other kernels",
    ),
)
questions(
    "services.saw-crash",
    Question(
        "Between 20 s and 35 s, what does the inspector say about the crashed kube-proxy of worker-1?",
        {
            "It lists no rules any more": "Select it and read: the list is as long as before.",
            "The kernel keeps its rules, and nobody updates them": "That is the whole chapter in one line.",
            "Its rules have moved to worker-2": "Each host has its own kernel and its own rules.",
        },
        answer="The kernel keeps its rules, and nobody updates them",
    ),
)
questions(
    "services.saw-change",
    Question(
        "After kube-proxy has been restarted at 55 s, when do the failures end?",
        {
            "They never end": "Look at the strip right of 55 s.",
            "Within about a second": "It reads the present state, once, and writes the rules anew.",
            "When the old pods come back": "They do not come back. They were deleted.",
        },
        answer="Within about a second",
    ),
)
questions(
    "services.quiz",
    Question(
        "What listens on a ClusterIP?",
        {
            "kube-proxy": "It did long ago, in its userspace mode. Now it only writes rules.",
            "Nothing: the kernel rewrites the packet on its way out": "The address stands in rules and nowhere else; "
            "in iptables mode not even a ping is answered.",
            "The first pod": "A pod listens on its own IP.",
        },
        answer="Nothing: the kernel rewrites the packet on its way out",
    ),
    Question(
        "At which moment is a pod chosen?",
        {
            "For each packet": "Then no TCP connection would survive its second packet: conntrack keeps the choice.",
            "For each request": "A kernel sees connections. Ten thousand requests on one connection go to one pod.",
            "For each connection": "And for as long as it lives. That is why gRPC clients and Services disappoint "
            "each other.",
        },
        answer="For each connection",
    ),
    Question(
        "kubectl get endpointslices lists no address for your Service; its pods are Running and Ready. First look at",
        {
            "the selector of the Service and the labels of the pods": "An empty slice beside ready pods means that "
            "they were never picked.",
            "kube-proxy's log": "kube-proxy can only write what the slice says.",
            "the pods: restart them": "They come back with the same labels.",
        },
        answer="the selector of the Service and the labels of the pods",
    ),
    Question(
        "A pod dies hard; its readiness is still true for a few seconds. A connection is dealt to it. What then?",
        {
            "kube-proxy tries another pod": "kube-proxy is not there when it happens, and rules do not try again.",
            "The connection fails": "In iptables mode there is no second try. The client may make one.",
            "It waits until the endpoint is removed": "It fails or times out at once; the rules change for later ones.",
        },
        answer="The connection fails",
    ),
)
questions(
    "services.again",
    Question(
        "5 etcd members, 3 crash, disks fine. Which is true?",
        {
            "The two survivors serve reads and writes": "Two of five are no majority.",
            "All data is lost": "It lies on five disks. Quorum lost is service lost, not data lost.",
            "No writes until one returns; then it goes on, without a restore": "Three of five are a majority again.",
            "Running pods are killed after 5 minutes": "Nobody can even write that they should be.",
        },
        answer="No writes until one returns; then it goes on, without a restore",
    ),
    Question(
        "You have 5 members and are given a sixth machine. As a voting member it",
        {
            "lets you lose 3": "A majority of 6 is 4: you may still lose 2.",
            "changes nothing about how many you may lose, and is one more that can fail": "Even numbers buy nothing.",
            "is refused: the number must be odd": "It is legal. It is only wasteful.",
            "makes writes faster": "Each write needs one vote more.",
        },
        answer="changes nothing about how many you may lose, and is one more that can fail",
    ),
    Question(
        "The only API server is down for 20 minutes, nothing else fails. A web Deployment behind a Service",
        {
            "stops at once": "Chapter 0.",
            "stops after 50 s, when the node leases expire": "Nobody is there to act on them.",
            "keeps serving; nothing can be changed or replaced": "What runs, runs on.",
            "serves only on the control-plane host": "Every worker has its own rules.",
        },
        answer="keeps serving; nothing can be changed or replaced",
    ),
    Question(
        "Seven members over two zones, 4 + 3. This",
        {
            "survives the loss of either zone": "Without the four, three of seven are left.",
            "survives the loss of the zone of three, not that of the four": "Someone always holds the majority.",
            "survives neither": "Four of seven are a majority.",
            "depends on the zone of the leader": "A leader is elected again wherever the majority is.",
        },
        answer="survives the loss of the zone of three, not that of the four",
    ),
    Question(
        "A worker loses power. Its pod tolerates an unreachable node for 30 s, not the default 300. "
        "The replacement starts after about",
        {
            "5 to 10 s": "Silence must last 50 s before it counts.",
            "30 s": "The toleration begins when the node has been found unreachable.",
            "70 to 85 s": "40 to 55 s until the node is found unreachable, then 30 s.",
            "5 to 6 minutes": "That is the default, with 300 s of toleration.",
        },
        answer="70 to 85 s",
    ),
    Question(
        "kube-proxy of host A crashes and stays down. For an hour no pod changes.",
        {
            "All Service traffic from A fails": "No packet passes kube-proxy.",
            "Services work from A; later changes of endpoints will not be seen there": "The kernel keeps its rules.",
            "Traffic takes the kube-proxy of another host": "There is no such way.",
            "Pods on A become NotReady": "Readiness is the kubelet's and its probes' business.",
        },
        answer="Services work from A; later changes of endpoints will not be seen there",
    ),
)
