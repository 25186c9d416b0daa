"""What needs no cluster around the scheduler: searches over many nodes, and the order of the queue."""

from operator import attrgetter

from kubemini.api.objects import freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.waiting import Waiting
from kubemini.scheduler.machine import Machine
from kubemini.sim.units import MINUTE, MS, SECOND
from tests.oracles.scheduler.stage import PRIORITIES

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
BACKOFF, FLUSH = (SECOND, 10 * SECOND), 5 * MINUTE
OPEN_ENDED = 300 * SECOND


class Play:
    """A scheduler that is told what happens, and when."""

    def __init__(self, pops_early=True):
        self.objects = {"Pod": {}}
        self.machine = Machine(plugins.profile(), BACKOFF, FLUSH, Listers(lambda kind: self.objects.get(kind, {})))
        self.machine.queue.pops_early = pops_early
        self.tries = []  # (instant, pod, node)
        self.now = 0
        self.many = 0

    def node(self, name, labels=None, taints=(), **allocatable):
        """A node comes."""
        meta = {"name": name, "labels": {HOSTNAME: name, **(labels or {})}}
        node = {"metadata": meta, "spec": {"taints": list(taints)}, "status": {"allocatable": allocatable}}
        self.machine.node_changed(None, freeze(node), self.now)

    def pod(self, name, request=None, namespace="default", **spec):
        """A pod comes."""
        self.many += 1
        resources = {"requests": request} if request else {}
        containers = [{"name": "c", "image": "registry.example/app:1", "resources": resources}]
        meta = {"name": name, "namespace": namespace, "uid": f"{name}-{self.many}"}
        pod = freeze({"kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}})
        self.objects["Pod"][namespace, name] = pod
        self.machine.pod_changed(None, pod, self.now)
        return pod

    def gone(self, pod):
        """A pod is gone."""
        del self.objects["Pod"][pod["metadata"]["namespace"], pod["metadata"]["name"]]
        self.machine.pod_changed(pod, None, self.now)

    def work(self):
        """Try all who can be tried now; the attempts."""
        made = []
        while (entry := self.machine.pop(self.now)) is not None:
            attempt = self.machine.attempt(entry, self.now)
            self.machine.queue.done(entry.uid)
            self.tries.append((self.now, entry.pod["metadata"]["name"], attempt.decision.node))
            made.append(attempt)
        return made

    def until(self, instant):
        """Let time pass, and those try whose waiting ends meanwhile."""
        while True:
            queue = self.machine.queue
            ends = [at for at in (queue.next_instant(), queue.next_flush()) if at is not None]
            if not ends or min(ends) > instant:
                self.now = instant
                return
            self.now = max(self.now, min(ends))
            queue.flush_old(self.now)
            self.work()


# -- searches over many nodes ------------------------------------------------------------------------------------------
def percentage(case):
    """Seven pods in a row on a fresh scheduler: how far it looks for each, and which nodes are scored."""
    made, play = case["make"], Play()
    zones, every = made["zones"], made["tainted_every"]
    for index in range(made["nodes"]):
        tainted = every and index % every == 1
        taints = [{"key": "k", "value": "v", "effect": "NoSchedule"}] if tainted else ()
        zone = {ZONE: zones[index % len(zones)]}
        play.node(f"n{index:04d}", zone, taints, cpu=made["cpu"], memory=made["memory"], pods="110")
    order = [info.name for info in play.machine.cache.ordered()]
    place = {name: number for number, name in enumerate(order)}
    rows = []
    for wanted in case["expect"]:
        play.pod(wanted["pod"], made["pod_request"])
        (attempt,) = play.work()
        decision = attempt.decision
        scored = [place[name] for name in decision.feasible]
        rows.append(
            {
                "pod": wanted["pod"],
                "feasible": len(scored),
                "scored": len(scored),
                "evaluated": decision.searched,
                "node": decision.node,
                "node_index": place[decision.node],
                "scored_ranges_in_node_order": ranges(scored, len(order)),
            }
        )
    return {"node_order_first_12": order[:12], "expect": rows}


def ranges(places, count):
    """Neighbours together, in the order of the nodes; a range that goes on at the beginning is one."""
    found = []
    for place in sorted(places):
        if found and found[-1][1] == place - 1:
            found[-1][1] = place
        else:
            found.append([place, place])
    if len(found) > 1 and found[0][0] == 0 and found[-1][1] == count - 1:
        found[-1][1] = found.pop(0)[1]
    return found


# -- the queue ---------------------------------------------------------------------------------------------------------
def queue(case):
    """The order of tries, their rhythm, or who wins a tie."""
    if "created" in case:
        return ordered(case)
    if "counts" in case:
        return tied(case)
    return flushed(case) if case["name"] == "flush" else backed_off(case)


def ordered(case):
    """Who is tried in which order when a node has come."""
    play, made = Play(), case["make"]
    for node in made["nodes"]:
        play.node(node["name"], **node["allocatable"])
    request = made["pod"]["spec"]["containers"][0]["resources"]["requests"]
    windows, moved = case.get("windows") or [], {name: where for name, _, where in case.get("moved") or ()}
    gap = round(float(str(made["seconds_between_pods"]).split()[0]) * SECOND)
    for name, rank in case["created"]:
        play.now += gap
        play.pod(name, request, priority=PRIORITIES.get(rank, 0))
        play.work()
    entries = {e.pod["metadata"]["name"]: e for part in parts(play.machine.queue) for e in part.values()}
    for entry in entries.values():
        play.machine.queue.remove(entry.uid)
    into(play.machine.queue, entries, windows, moved)
    play.tries.clear()
    node = made["node_added"]
    waiting, play.machine.queue.unschedulable = play.machine.queue.unschedulable, Waiting(attrgetter("seen_at"))
    play.node(node["name"], **node["allocatable"])
    play.machine.queue.unschedulable = waiting
    if not moved:
        play.until(2 * OPEN_ENDED)
    play.work()
    return {"tried": [name for _, name, _ in play.tries]}


def parts(queue):
    """The four places of a queue."""
    return queue.active, queue.backing_off, queue.in_error, queue.unschedulable


def into(queue, entries, windows, moved):
    """Put the pods where the recording says they were, those of a window into one second after another."""
    second = {name: number for number, window in enumerate(windows) for name in window}
    for name, entry in entries.items():
        if moved.get(name) == "Active":
            queue.active[entry.uid] = entry
            continue
        if name in second:  # its back-off ends in the second with this number, counted from one that is yet to come
            entry.refusals, entry.errors = (1, 0) if moved else (0, 1)
            entry.since = OPEN_ENDED + second[name] * SECOND - BACKOFF[0] + entry.order * MS
        (queue.backing_off if moved else queue.in_error)[entry.uid] = entry


def tied(case):
    """Four equal nodes: a pod is created, bound and deleted, again and again."""
    play, counts = Play(), {}
    for name in ("n1", "n2", "n3", "n4"):
        play.node(name, cpu="4", memory="8Gi", pods="110")
    for number in range(sum(case["counts"].values())):
        play.now += SECOND
        pod = play.pod(f"t{number}")
        (attempt,) = play.work()
        counts[attempt.decision.node] = counts.get(attempt.decision.node, 0) + 1
        play.gone(pod)
    return {"counts": counts}


def flushed(case):
    """A refused pod that no event wakes."""
    play = Play()
    play.node("n1", cpu="4", memory="8Gi", pods="110")
    play.now = 10 * SECOND + 600 * MS
    began = play.now
    play.pod("t", nodeSelector={"nope": "x"})
    play.work()
    play.until(began + 340 * SECOND)
    return {"flushed_at_seconds": (play.tries[1][0] - began) / SECOND}


def backed_off(case):
    """The instants of the tries of one pod."""
    made, play = case["make"], Play(pops_early=not case["name"].endswith("nopop"))
    for node in made["nodes"]:
        play.node(node["name"], **node["allocatable"])
    play.now = began = 600 * MS
    play.until(began)
    if "holder" in made:
        play.pod("a", {"cpu": "1"}, nodeName="n1")
        play.pod("t", {"cpu": "500m"})
    elif "affinity" in made["pod"]:
        play.pod("t", affinity=preferring("-1"))
    else:
        play.pod("t")
    play.work()
    if "holder" in made:
        woken(play, began + 500 * MS, len(case["attempts_at_seconds"]))
    elif "node_added" in made:
        play.until(began + made["node_added_after_seconds"] * SECOND)
        node = made["node_added"]
        play.node(node["name"], **node["allocatable"])
        play.work()
    play.until(began + 45 * SECOND)
    tries = [(at - began) / SECOND for at, name, _ in play.tries if name == "t"]
    last = play.machine.latest(play.objects["Pod"]["default", "t"])
    got = {"attempts_at_seconds": tries[: len(case["attempts_at_seconds"])]}
    if "bound" in case:
        got["bound"] = next((node for _, name, node in play.tries if name == "t" and node), None)
    if "condition" in case:
        got["condition"] = [conditioned(play, last)]
    return got


def woken(play, first, many):
    """A pod without requests comes and goes each 0.4 s."""
    at = first
    while len([1 for _, name, _ in play.tries if name == "t"]) < many + 1 and at < 120 * SECOND:
        play.until(at)
        pod = play.pod("x", nodeName="n1")
        play.until(at + 20 * MS)
        play.gone(pod)
        play.work()
        at += 400 * MS


def preferring(value):
    """A preference that cannot be read."""
    term = {"matchExpressions": [{"key": "gen", "operator": "Gt", "values": [value]}]}
    preferred = [{"weight": 10, "preference": term}]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def conditioned(play, pod):
    """What its condition would say."""
    decision = decide(play.machine.cycle(pod), play.machine.plugins)
    return {"type": "PodScheduled", "status": "False", "reason": decision.reason, "message": decision.message}
