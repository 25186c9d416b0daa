"""Chapter 1, Anatomy: what each program does, measured by taking it away.

anatomy.impact    the impact matrix: six programs, six deeds
anatomy.order     the steps between `kubectl apply` and the first visit, in an order that can have been
anatomy.minimal   the programs that a running shop can do without

Invariant: the matrix and the order come from runs of the scenario ``anatomy``; only the names of the deeds are ours.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kubemini.cluster.topology import single
from kubemini.lab import NotYet, Question, Report, exercise, questions
from kubemini.lab.first import share, visits
from kubemini.run import run
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND

PREDICTIONS: dict[str, dict[str, Any]] = {
    "scale": {
        "question": "At 20 s somebody types kubectl scale. Which programs does kubectl talk to?",
        "choices": [
            "The API server, the scheduler and the two kubelets",
            "The API server, which then calls the others one by one",
            "The API server alone, and nobody is called by anybody",
        ],
        "answer": 2,
        "explain": "kubectl changes one number in one object. All others watch the API server and see it there.",
    },
    "scheduler": {
        "question": "You crash the scheduler at 15 s; at 20 s the shop is scaled from 2 to 4. What happens?",
        "choices": [
            "kubectl scale is refused",
            "Two new Pod objects appear and wait without a node; the two old pods serve",
            "Two new pods start on the node with fewer pods: the kubelets sort it out",
            "All four pods stop",
        ],
        "answer": 1,
        "explain": "The objects are made by the controller-manager. To give each a node is the scheduler's only job.",
    },
    "kubelet": {
        "question": "You crash the kubelet of worker-1 at 20 s. What happens to the pods on worker-1 until 60 s?",
        "choices": [
            "They stop",
            "They run and serve on",
            "They move to worker-2",
            "They are restarted by the API server",
        ],
        "answer": 1,
        "explain": "Containers are processes of their own. The kubelet starts and watches them; it carries nothing.",
    },
}

PROGRAMS = ("apiserver-1", "etcd-1", "controller-manager-1", "scheduler-1", "kubelet@worker-1", "kube-proxy@worker-1")
DEEDS = {
    "visit": "the old pods answer every visit",
    "write": "kubectl scale is accepted",
    "create": "Pod objects appear for the new pods",
    "place": "the new pods get a node",
    "start": "the new pods run",
    "route": "a new pod receives visits",
}
CRASH, SCALE, END = 15, 20, 45  # seconds


# -- anatomy.impact ------------------------------------------------------------------------------------------------
@exercise("anatomy.impact")
def check_impact(answer: Any) -> Report:
    """Thirty-six yes or no, each compared with a run in which that program has crashed."""
    rows = _rows(answer)
    wrong, facts = [], []
    for program in PROGRAMS:
        truth = impact(program)
        for deed, said in rows[program].items():
            if said != truth[deed]:
                wrong.append((program, deed))
                facts.append(f"without {program}: {DEEDS[deed]}: {'yes' if truth[deed] else 'no'}")
    total = len(PROGRAMS) * len(DEEDS)
    if wrong:
        raise NotYet(
            f"{total - len(wrong)} of {total} cells agree with the cluster; the first that does not is "
            f"“{wrong[0][1]}” without {wrong[0][0]}.",
            *facts[:4],
            next="Follow the new pods from deed to deed: who has to be alive for the next one?",
        )
    return Report(
        "pass",
        (f"{len(PROGRAMS)} clusters, one program crashed in each: {total} of {total} cells agree",),
        "Each program owns one step of the stairs; without it, that step and all after it fail, and no visit does.",
    )


def _rows(answer: Any) -> dict[str, dict[str, bool]]:
    """The matrix as the learner wrote it: {program: "y y n n n n"}. Raises NotYet naming the row."""
    if not isinstance(answer, dict) or set(answer) != set(PROGRAMS):
        raise NotYet(f"Give check() a dictionary with these six names: {', '.join(PROGRAMS)}.")
    rows = {}
    for program, row in answer.items():
        letters = [c for c in str(row).lower() if not c.isspace()]
        if len(letters) != len(DEEDS) or set(letters) - {"y", "n"}:
            raise NotYet(f"{program}: write one y or n for each of {', '.join(DEEDS)}; the row reads {row!r}.")
        rows[program] = {deed: letter == "y" for deed, letter in zip(DEEDS, letters)}
    return rows


def impact(program: str = "") -> dict[str, bool]:
    """Which of `DEEDS` happen in a cluster of one worker where *program* crashes before the scaling ("": none)."""
    scenario = replace(load("anatomy"), topology=single(workers=1, zones=["a"]), faults=((SCALE, "scale", "web", 4),))
    trace = run(scenario, commands=[(CRASH, "crash", program)] if program else [], until=END)
    old = {r.detail["name"] for r in trace.of("pod") if r.at < SCALE * SECOND}
    later = [r for r in trace if r.at >= SCALE * SECOND]
    pods = [r for r in later if r.what == "object" and r.detail["kind"] == "Pod" and r.detail["name"] not in old]
    new_pods = [r for r in later if r.what == "pod" and r.detail["name"] not in old]
    asked = visits(trace, SCALE, END - 2)
    answered_by_old = [r for r in asked if r.detail["via"][-1] in old]
    return {
        "visit": bool(answered_by_old) and share(answered_by_old) == 1 and share(asked) == 1,
        "write": any(r.detail["outcome"] == "ok" for r in later if r.what == "request" and r.detail["kind"] == "api"),
        "create": bool(pods),
        "place": any(_node(r) for r in pods),
        "start": any(r.detail["state"] == "running" for r in new_pods),
        "route": any(r.detail["via"][-1] not in old for r in asked),
    }


def _node(record: Record) -> str:
    """The node a Pod has in the API, as the record of its object says."""
    return str(record.detail["summary"].get("node") or "")


# -- anatomy.order -------------------------------------------------------------------------------------------------
NEW = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog}
spec:
  replicas: 1
  selector: {matchLabels: {app: blog}}
  template:
    metadata: {labels: {app: blog}}
    spec: {containers: [{name: blog, image: "blog:1.0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: blog}
spec: {selector: {app: blog}, ports: [{port: 80}]}
"""
STEPS = {  # what happens between the command and the first visit, and who does it
    "the Deployment is stored": "kube-apiserver",
    "kubectl has its answer": "kube-apiserver",
    "a ReplicaSet exists": "kube-controller-manager",
    "a Pod object exists": "kube-controller-manager",
    "the Pod has a node": "kube-scheduler",
    "the container runs": "kubelet",
    "the Pod is reported ready": "kubelet",
    "an endpoint names the Pod": "kube-controller-manager",
    "the kernel has a rule": "kube-proxy",
}
ORDER_SEEDS = range(1, 6)


@exercise("anatomy.order")
def check_order(answer: Any) -> Report:
    """A list of steps: it passes if no step stands before one that every run needs first."""
    steps = [str(step) for step in answer] if isinstance(answer, list | tuple) else []
    if sorted(steps) != sorted(STEPS):
        missing = [s for s in STEPS if s not in steps]
        raise NotYet(
            f"Give check() a list of all {len(STEPS)} steps, each once; missing: {', '.join(missing) or 'none'}."
        )
    runs = [instants(seed) for seed in ORDER_SEEDS]
    for early, late in ((a, b) for i, a in enumerate(steps) for b in steps[i + 1 :]):
        if all(seen[late] < seen[early] for seen in runs):
            raise NotYet(
                f"“{early}” cannot come before “{late}”: in all {len(runs)} runs it came after it.",
                *(f"{STEPS[s]}: {s}, {runs[0][s] / SECOND - SCALE:.3f} s after the command" for s in (late, early)),
                next="Ask of each step: whom does its program watch, and what must it have seen there?",
            )
    first = runs[0]
    return Report(
        "pass",
        tuple(f"{(first[s] / SECOND - SCALE):6.3f} s  {STEPS[s]}: {s}" for s in sorted(STEPS, key=lambda s: first[s])),
        "Nobody called anybody: each program saw an object change and changed the next one.",
    )


def instants(seed: int) -> dict[str, int]:
    """When each of `STEPS` happened, in a run where a Deployment and its Service are applied at 20 s."""
    trace = run(replace(load("anatomy"), faults=()), seed, [(SCALE, "apply", NEW)], until=SCALE + 20)
    objects = [r for r in trace.of("object") if r.at >= SCALE * SECOND]
    pods = [r for r in objects if r.detail["kind"] == "Pod" and r.detail["name"].startswith("blog")]
    running = [r for r in trace.of("pod") if r.detail["name"].startswith("blog") and r.detail["state"] == "running"]
    return {
        "the Deployment is stored": _first(r for r in objects if _is(r, "Deployment")),
        "kubectl has its answer": _first(r for r in _applied(trace)),
        "a ReplicaSet exists": _first(r for r in objects if _is(r, "ReplicaSet")),
        "a Pod object exists": _first(pods),
        "the Pod has a node": _first(r for r in pods if _node(r)),
        "the container runs": _first(running),
        "the Pod is reported ready": _first(r for r in pods if r.detail["summary"].get("ready")),
        "an endpoint names the Pod": _first(
            r for r in objects if _is(r, "EndpointSlice") and r.detail["summary"].get("endpoints")
        ),
        "the kernel has a rule": _first(
            r for r in trace.of("rules") if "blog" in r.detail["service"] and r.detail["endpoints"]
        ),
    }


def _is(record: Record, kind: str) -> bool:
    return record.detail["kind"] == kind and record.detail["name"].startswith("blog")


def _applied(trace: Trace) -> list[Record]:
    return [r for r in trace.of("request") if r.detail["kind"] == "api" and "deployments" in r.detail["path"]]


def _first(records: Iterable[Record]) -> int:
    found = min((r.at for r in records if r.at >= SCALE * SECOND), default=None)
    assert found is not None, "every step happens in a healthy cluster"
    return found


# -- anatomy.minimal -----------------------------------------------------------------------------------------------
MINIMAL_SEEDS = range(1, 6)
ASKERS = ("visitor@", "kubectl")


@exercise("anatomy.minimal")
def check_minimal(answer: Any) -> Report:
    """A list of programs to crash at 20 s: every visit after that must be answered, and two programs may be left."""
    trace = run("anatomy", until=1)
    programs = [c for host in trace.header["topology"]["hosts"] for c in host["components"] if not c.startswith(ASKERS)]
    gone = list(dict.fromkeys(map(str, answer))) if isinstance(answer, list | tuple | set) else []
    unknown = [name for name in gone if name not in programs]
    if not gone or unknown:
        raise NotYet(
            f"Give check() a list of programs to crash{f'; {unknown[0]!r} is none of them' if unknown else ''}. "
            f"There are: {', '.join(programs)}."
        )
    left = [name for name in programs if name not in gone]
    scenario = replace(load("anatomy"), faults=())
    asked: list[Record] = []
    for seed in MINIMAL_SEEDS:
        after = run(scenario, seed, [(SCALE, "crash", name) for name in gone], until=60)
        asked += visits(after, SCALE, 58)
    failed = [r for r in asked if r.detail["outcome"] != "ok"]
    counted = f"{len(asked) - len(failed)} of {len(asked)} visits were answered in {len(MINIMAL_SEEDS)} runs"
    if failed:
        raise NotYet(
            "The shop does not serve any more: you crashed something that a packet needs.",
            counted,
            f"the first failure, at {failed[0].at / SECOND:.1f} s: {failed[0].detail['why']}",
            next="Who does a packet meet on its way from the visitor to a pod?",
        )
    if len(left) > 2:
        raise NotYet(
            f"The shop serves, with {len(left)} programs left; two are enough.",
            counted,
            next=f"Left: {', '.join(left)}.",
        )
    return Report(
        "pass",
        (counted, f"left: {', '.join(left)}"),
        "The containers and the rules in their hosts' kernels serve on, with all of Kubernetes gone.",
    )


# -- questions -----------------------------------------------------------------------------------------------------
questions(
    "anatomy.warm-up",
    Question(
        "The only API server is down. Who answers a visit to the shop?",
        {
            "A pod, as before": "The way leads from the visitor through its host's kernel to a pod.",
            "Nobody": "That was the sentence of chapter 0, and the recording disproved it.",
            "The other control-plane programs": "Scheduler and controller-manager never touch a visit.",
        },
        answer="A pod, as before",
    ),
    Question(
        "A worker dies during that outage. What repairs the shop?",
        {
            "The kubelet of the other worker": "A kubelet runs the pods bound to its own node, and no others.",
            "The Service": "A Service is data. Its rules are updated by somebody who asks the API server.",
            "Nothing, until the API server is back": "To replace a pod, objects must be written.",
        },
        answer="Nothing, until the API server is back",
    ),
)
questions(
    "anatomy.saw-scale",
    Question(
        "In “What happened”, after 20 s: what is written first?",
        {
            "A Pod": "Somebody must first have seen that there are too few.",
            "The Deployment": "kubectl changed its spec.replicas, and that is all kubectl did.",
            "A Node": "Nodes do not change when pods are placed; the Pod's own field nodeName does.",
        },
        answer="The Deployment",
    ),
)
questions(
    "anatomy.saw-scheduler",
    Question(
        "With the scheduler gone: which line is missing in “What happened”?",
        {
            "Two Pods are created": "They are there: the controller-manager made them.",
            "A pod starts on a worker": "No kubelet starts a Pod that names no node, or another node.",
            "kubectl gets its answer": "It did, within milliseconds: the write was accepted.",
        },
        answer="A pod starts on a worker",
    ),
)
questions(
    "anatomy.quiz",
    Question(
        "Which program writes spec.nodeName of a Pod?",
        {
            "The scheduler": "Through the API server, as a Binding; it tells nobody else.",
            "The kubelet that takes it": "A kubelet never picks. It runs what already names its node.",
            "etcd": "etcd keeps bytes. It does not know what a Pod is.",
        },
        answer="The scheduler",
    ),
    Question(
        "Who creates the Pod objects of a Deployment?",
        {
            "kubectl": "kubectl sends the Deployment and is done.",
            "The Deployment": "An object does nothing. A controller acts on it.",
            "The ReplicaSet controller, inside kube-controller-manager": "The Deployment controller makes a "
            "ReplicaSet; the ReplicaSet controller makes the Pods.",
        },
        answer="The ReplicaSet controller, inside kube-controller-manager",
    ),
    Question(
        "How many programs of this cluster open connections to etcd?",
        {
            "One kind: the API server": "All others see objects through it, checked and authorised.",
            "All of the control plane": "Scheduler and controller-manager are clients of the API server, like kubectl.",
            "Every kubelet as well": "Then every worker could read every Secret of the cluster.",
        },
        answer="One kind: the API server",
    ),
    Question(
        "kubectl get nodes says Ready, and the kubelet of that node crashed 20 s ago. Is that a bug?",
        {
            "Yes": "What you see is the last report. Nobody can report its own death.",
            "No: the object is as old as the last report": "After 50 s of silence the node lifecycle controller sets "
            "Ready to Unknown.",
        },
        answer="No: the object is as old as the last report",
    ),
)
