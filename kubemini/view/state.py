"""What is true at an instant: a trace, folded record by record.

`State` is the one rule of it. The sentences read it, and static/ folds a recording by the same rule in JavaScript: a
test holds the two together at every record of every scenario. What needs no more than a look at a state (who is alive,
who reaches whom, which clusters there are) stands here too.
Invariant: `fold` adds nothing that a record does not say. Words that say nothing lasting are not folded; those that
are, are called `drawn` in kubemini/sim/vocabulary.
"""

from collections.abc import Callable
from typing import Any

from kubemini.sim.trace import Record

Detail = dict[str, Any]
TAIL = 24  # entries of a log that are kept: more cannot be drawn
SPARE = "not a member yet"


class State:
    """The cluster after some records: plain dicts and lists, so that it can be compared and copied."""

    def __init__(self, topology: dict[str, Any]):
        self.topology = topology
        self.programs: dict[str, Detail] = {}  # name → {host, up, paused, since, why}
        self.hosts: dict[str, Detail] = {}  # name → {on, since, slow: µs}
        self.members: dict[str, Detail] = {}  # etcd member → role, term, lead, log and store
        self.clusters: list[Detail] = []  # {id, voters, learners}, the oldest first
        self.data: dict[str, int] = {}  # etcd member → the cluster that its data belongs to
        self.clocks: dict[str, Detail] = {}  # host or program → {offset: µs, rate}, of those that are wrong
        self.cuts: list[Detail] = []
        self.links: list[Detail] = []  # latency and loss that somebody set
        self.ready: dict[str, Detail] = {}
        self.backends: dict[str, dict[str, Detail]] = {}  # load balancer → server → {up, why}
        self.connections: dict[str, Detail] = {}  # client → {kept: [{to, server, since}], why}
        self.addresses: dict[str, list[str]] = {}  # virtual address → keepaliveds on whose host it is
        self.vrrp: dict[str, Detail] = {}  # keepalived → {state, priority, why}
        self.leases: dict[str, str] = {}  # lease → holder
        self.pods: dict[str, dict[str, Detail]] = {}  # host → pod
        self.rules: dict[str, dict[str, Detail]] = {}  # kube-proxy → Service
        self.policies: dict[str, list[str]] = {}  # kube-network-policies → what its host judges by
        self.loaded: dict[str, Detail] = {}  # ingress controller → {serving, routes, endpoints}
        self.services: dict[str, Detail] = {}
        self.nodes: dict[str, Detail] = {}
        self.keys: dict[str, Detail] = {}
        self.revision = 0
        self.alarms: dict[str, str] = {}
        for host in topology["hosts"]:
            self.hosts[host["name"]] = {"on": True, "since": 0, "slow": 0}
            for name in host["components"]:
                self.programs[name] = {"host": host["name"], "up": True, "paused": False, "since": 0, "why": ""}
        spares = topology.get("spares", [])
        for name in spares:
            self.programs[name] |= {"up": False, "why": SPARE}
        self.members = {name: emptied() for name in [*topology["etcd"], *spares]}
        self.clusters.append({"id": 1, "voters": list(topology["etcd"]), "learners": []})
        self.data = dict.fromkeys(topology["etcd"], 1)

    def fold(self, record: Record) -> None:
        """Take one record in."""
        if rule := RULES.get(record.what):
            rule(self, record.at, record.actor, record.detail)

    # -- what a look tells ---------------------------------------------------------------------------------------
    def host_of(self, program: str) -> str:
        """The host a program runs on; the name itself if it runs on none that is known."""
        return self.programs.get(program, {}).get("host") or program

    def powered(self, host: str) -> bool:
        """Whether a host has power; one that nobody knows has."""
        return self.hosts.get(host, {"on": True})["on"]

    def alive(self, program: str) -> bool:
        """Whether a program runs, and is not standing still."""
        found = self.programs.get(program)
        return bool(found and found["up"] and not found["paused"] and self.powered(self.host_of(program)))

    def reaches(self, a: str, b: str) -> bool:
        """Whether no cut lies between two programs or hosts, in either direction."""
        x, y = self.host_of(a), self.host_of(b)
        return not any((x in c["a"] and y in c["b"]) or (x in c["b"] and y in c["a"]) for c in self.cuts)

    def cut_off(self, host: str) -> list[str]:
        """The hosts that *host* cannot reach, if these are most of the others: the larger side of a cut is none."""
        far = [other for other in self.hosts if other != host and not self.reaches(host, other)]
        return far if 2 * len(far) > len(self.hosts) - 1 else []

    @property
    def cluster(self) -> Detail:
        """The cluster that the newest data belongs to."""
        return self.clusters[-1]

    def voters(self, cluster: Detail) -> list[str]:
        """The voters of *cluster* whose data belongs to it."""
        return [name for name in cluster["voters"] if self.data.get(name) == cluster["id"]]

    def quorum(self, cluster: Detail) -> int:
        """How many voters of *cluster* decide."""
        return len(cluster["voters"]) // 2 + 1

    def together(self, cluster: Detail) -> int:
        """The most living voters of *cluster* of which one reaches all the others, with itself."""
        alive = [name for name in self.voters(cluster) if self.alive(name)]
        return max((sum(self.reaches(a, b) for b in alive) for a in alive), default=0)

    def leader(self, cluster: Detail) -> str | None:
        """The living voter that leads a majority of *cluster*."""
        alive = [name for name in self.voters(cluster) if self.alive(name)]
        for name in alive:
            with_it = sum(self.reaches(name, other) for other in alive)
            if self.members[name]["role"] == "leader" and with_it >= self.quorum(cluster):
                return name
        return None


def emptied() -> Detail:
    """A member with nothing on its disk."""
    empty: Detail = {"role": "follower", "term": 0, "lead": None, "last": 0, "commit": 0, "applied": 0, "revision": 0}
    return empty | {"log": [], "room": None}


# -- one rule a word ---------------------------------------------------------------------------------------------------
def _program(state: State, name: str) -> Detail:
    nowhere: Detail = {"host": None, "up": True, "paused": False, "since": 0, "why": ""}
    return state.programs.setdefault(name, nowhere)


def _start(state: State, at: int, actor: str, d: Detail) -> None:
    _program(state, actor).update(up=True, paused=False, since=at, why="")
    if actor in state.members:
        state.members[actor].update(role="follower", lead=None)


def _crash(state: State, at: int, actor: str, d: Detail) -> None:
    """A dead program leads nobody, is ready for nothing, holds no lease and keeps no connection."""
    _program(state, actor).update(up=False, paused=False, since=at, why=d.get("why", ""))
    state.ready.pop(actor, None)
    state.connections.pop(actor, None)
    state.vrrp.pop(actor, None)
    state.policies.pop(actor, None)
    state.loaded.pop(actor, None)
    for address, held in state.addresses.items():
        state.addresses[address] = [name for name in held if name != actor]
    state.leases = {lease: holder for lease, holder in state.leases.items() if holder != actor}
    if actor in state.members:
        state.members[actor].update(role="follower", lead=None)


def _pause(state: State, at: int, actor: str, d: Detail) -> None:
    _program(state, actor).update(paused=True, since=at)


def _resume(state: State, at: int, actor: str, d: Detail) -> None:
    _program(state, actor).update(paused=False, since=at)


def _power_off(state: State, at: int, actor: str, d: Detail) -> None:
    state.hosts[actor].update(on=False, since=at)
    for name, program in state.programs.items():
        if program["host"] == actor and program["up"]:
            _crash(state, at, name, {})


def _power_on(state: State, at: int, actor: str, d: Detail) -> None:
    state.hosts[actor].update(on=True, since=at)
    state.pods[actor] = {}


def _slow_disk(state: State, at: int, actor: str, d: Detail) -> None:
    state.hosts[actor]["slow"] = d["extra"]


def _clock(state: State, at: int, actor: str, d: Detail) -> None:
    runs = [name for name, program in state.programs.items() if program["host"] == actor]
    for name in (actor, *runs):  # a program's own clock is set with that of its host
        state.clocks.pop(name, None)
    if d["offset"] or d["rate"] != 1:
        state.clocks[actor] = d


def _cut(state: State, at: int, actor: str, d: Detail) -> None:
    state.cuts.append(d)


def _heal(state: State, at: int, actor: str, d: Detail) -> None:
    state.cuts, state.links = [], []


def _latency(state: State, at: int, actor: str, d: Detail) -> None:
    state.links.append({"what": "latency", **d})


def _loss(state: State, at: int, actor: str, d: Detail) -> None:
    state.links.append({"what": "loss", **d})


def _role(state: State, at: int, actor: str, d: Detail) -> None:
    state.members[actor].update(d)


def _append(state: State, at: int, actor: str, d: Detail) -> None:
    member, index = state.members[actor], d["index"]
    log = [entry for entry in member["log"] if entry[0] < index]
    before = log[-1][0] if log else max(member["last"], index - TAIL)
    log += [[i, d["term"]] for i in range(max(before + 1, index - TAIL), index + 1)]
    member.update(log=log[-TAIL:], last=index)


def _truncate(state: State, at: int, actor: str, d: Detail) -> None:
    member = state.members[actor]
    member.update(log=[entry for entry in member["log"] if entry[0] < d["index"]], last=d["index"] - 1)


def _compact(state: State, at: int, actor: str, d: Detail) -> None:
    member = state.members[actor]
    member["log"] = [entry for entry in member["log"] if entry[0] > d["index"]]


def _commit(state: State, at: int, actor: str, d: Detail) -> None:
    state.members[actor]["commit"] = d["index"]


def _apply(state: State, at: int, actor: str, d: Detail) -> None:
    member = state.members[actor]
    member.update(applied=d["index"], commit=max(member["commit"], d["index"]), revision=d["revision"])


def _snapshot(state: State, at: int, actor: str, d: Detail) -> None:
    index = d["index"]
    state.members[actor].update(log=[], last=index, commit=index, applied=index, revision=d["revision"])


def _restore(state: State, at: int, actor: str, d: Detail) -> None:
    """A data directory of another cluster: its member is no more of the one it was in."""
    state.members[actor].update(emptied(), revision=d["revision"])
    state.data[actor] = d["cluster"]
    state.clusters = [c for c in state.clusters if state.voters(c)]
    if not any(c["id"] == d["cluster"] for c in state.clusters):
        state.clusters.append({"id": d["cluster"], "voters": list(d["members"]), "learners": []})
    state.revision = d["revision"]
    state.keys = {key: {"value": value, "revision": revision} for key, (value, revision) in d["kv"].items()}


def _membership(state: State, at: int, actor: str, d: Detail) -> None:
    """A new member begins with an empty disk."""
    cluster = next((c for c in state.clusters if c["id"] == state.data.get(actor)), state.cluster)
    known = [*cluster["voters"], *cluster["learners"]]
    for name in [*d["voters"], *d["learners"]]:
        if name not in known and name in state.members:
            state.members[name].update(emptied())
            state.data[name] = cluster["id"]
    cluster.update(voters=list(d["voters"]), learners=list(d["learners"]))


def _room(state: State, at: int, actor: str, d: Detail) -> None:
    state.members[actor]["room"] = d


def _alarm(state: State, at: int, actor: str, d: Detail) -> None:
    if d["raised"]:
        state.alarms[d["member"]] = d["alarm"]
    else:
        state.alarms.pop(d["member"], None)


def _kv(state: State, at: int, actor: str, d: Detail) -> None:
    state.revision = d["revision"]
    state.keys.pop(d["key"], None)
    if d["value"] is not None:
        state.keys[d["key"]] = {"value": d["value"], "revision": d["revision"]}


def _ready(state: State, at: int, actor: str, d: Detail) -> None:
    state.ready[actor] = d


def _backend(state: State, at: int, actor: str, d: Detail) -> None:
    state.backends.setdefault(actor, {})[d["server"]] = d


def _connection(state: State, at: int, actor: str, d: Detail) -> None:
    """A client uses the connection it opened last; one that is on its way out may live beside it."""
    if d["state"] in ("open", "refused"):
        state.connections.setdefault(actor, {"kept": [], "why": ""})
    mine = state.connections.get(actor)
    if mine is None:  # the end of what a dead program had
        return
    mine["why"] = d["why"]
    if d["state"] == "open":
        mine["kept"].append({"to": d["to"], "server": d["server"], "since": at})
        return
    ended = [i for i, one in enumerate(mine["kept"]) if (one["to"], one["server"]) == (d["to"], d["server"])]
    if ended:
        del mine["kept"][ended[0]]


def _address(state: State, at: int, actor: str, d: Detail) -> None:
    held = [name for name in state.addresses.get(d["address"], []) if name != actor]
    state.addresses[d["address"]] = [*held, actor] if d["held"] else held


def _vrrp(state: State, at: int, actor: str, d: Detail) -> None:
    state.vrrp[actor] = d


def _holder(state: State, at: int, actor: str, d: Detail) -> None:
    state.leases[d["lease"]] = actor if actor in state.programs else d["holder"]


def _object(state: State, at: int, actor: str, d: Detail) -> None:
    kinds = {"Service": state.services, "Node": state.nodes}
    if d["kind"] in kinds:
        kinds[d["kind"]].pop(d["name"], None)
        if d["verb"] != "DELETED":
            kinds[d["kind"]][d["name"]] = {"namespace": d.get("namespace"), **(d.get("summary") or {})}


def _pod(state: State, at: int, actor: str, d: Detail) -> None:
    pods = state.pods.setdefault(_program(state, actor)["host"] or actor.split("@")[-1], {})
    pods[d["name"]] = d | {"since": at}
    if d["state"] == "gone":
        del pods[d["name"]]


def _rules(state: State, at: int, actor: str, d: Detail) -> None:
    state.rules.setdefault(actor, {})[d["service"]] = d


def _policies(state: State, at: int, actor: str, d: Detail) -> None:
    state.policies[actor] = d["names"]


def _loaded(state: State, at: int, actor: str, d: Detail) -> None:
    state.loaded[actor] = d


RULES: dict[str, Callable[[State, int, str, Detail], None]] = {
    "start": _start,
    "crash": _crash,
    "exit": _crash,
    "pause": _pause,
    "resume": _resume,
    "power_off": _power_off,
    "power_on": _power_on,
    "slow_disk": _slow_disk,
    "clock": _clock,
    "cut": _cut,
    "heal": _heal,
    "latency": _latency,
    "loss": _loss,
    "role": _role,
    "append": _append,
    "truncate": _truncate,
    "compact": _compact,
    "commit": _commit,
    "apply": _apply,
    "snapshot": _snapshot,
    "restore": _restore,
    "membership": _membership,
    "room": _room,
    "alarm": _alarm,
    "kv": _kv,
    "ready": _ready,
    "backend": _backend,
    "connection": _connection,
    "address": _address,
    "vrrp": _vrrp,
    "holder": _holder,
    "object": _object,
    "pod": _pod,
    "rules": _rules,
    "policies": _policies,
    "loaded": _loaded,
}
