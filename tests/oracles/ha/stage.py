"""The stage of a trial: a whole cluster as the recorded ones were, everything where the record had it.

Names of the record are general: host h1 is cp-1, e1 is etcd-host-1, lb1 is lb-1, w1 is worker-1; ``etcd@h2`` is etcd-2,
``kcm@h1`` controller-manager-1. Whoever is hit in the record is hit here: the leading member and the leading managers
are put where they led before the trial, a manager of which the record says nothing on a host that is not hit.
"""

import re
from functools import cached_property

from kubemini import faults
from kubemini.cluster import Cluster
from kubemini.params import Params, changed
from kubemini.sim.engine import QUIESCENT
from kubemini.sim.units import SECOND
from kubemini.wire.network import Network

PROGRAMS = {
    "etcd": "etcd",
    "api": "apiserver",
    "kcm": "controller-manager",
    "sched": "scheduler",
    "haproxy": "haproxy",
    "keepalived": "keepalived",
}
HOSTS = {"h": "cp", "e": "etcd-host", "lb": "lb", "w": "worker"}
MANAGERS = {"kcm": "kube-controller-manager", "sched": "kube-scheduler"}
ALIKE = {
    "etcd_watch_progress_interval": "5s",
    "etcd_snapshot_count": 10_000,
    "restart_policy": "Never",
    "endpoint_reconciler_type": "lease",
}
CHECKS = {  # balancer_check: settings; "old" is the older sample of kubeadm
    None: {},
    "tcp": {"haproxy_check": "tcp"},
    "old": {"haproxy_check": "ssl-hello", "haproxy_client_timeout": "20s", "haproxy_server_timeout": "20s"},
}
WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: 6
  selector: {matchLabels: {a: d}}
  template:
    metadata: {labels: {a: d}}
    spec: {containers: [{name: c, image: registry.example/a:1}]}
"""
PLANES = ["h1", "h2", "h3"]
BUSY = 50  # load, above which an API server takes long to start
ELECTED, SETTLED = 6 * SECOND, 19 * SECOND


def host(name):
    """The simulator's host behind one of a record: ``h2`` → ``cp-2``."""
    letters, number = re.fullmatch(r"([a-z]+)(\d+)", name).groups()
    return f"{HOSTS[letters]}-{number}"


def program(name):
    """The simulator's program behind one of a record: ``kcm@h2`` → ``controller-manager-2``."""
    kind, _, at = name.partition("@")
    return f"{PROGRAMS[kind]}-{at.lstrip('ehlb')}"


class Stage:
    """A cluster of three control planes in which *record*'s trial can begin."""

    def __init__(self, record, seed):
        self.record, self.seed = record, seed
        self.external = record["topology"] == "external"
        self.members = ["e1", "e2", "e3"] if self.external else ["h1", "h2", "h3"]
        self.cluster = self._build()
        self.sim, self.net = self.cluster.sim, self.cluster.net
        assert isinstance(self.net, Network)

    def _build(self):
        params = changed(Params(), ALIKE | CHECKS[self.record.get("balancer_check")] | self.record.get("params", {}))
        sizes = {"api_servers": 3, "etcd_members": 3} if self.external else {"members": 3}
        make = Cluster.external if self.external else Cluster.stacked
        two = any("lb2" in what or "keepalived" in what for _, what, _ in self.record["events"])
        sizes["load_balancers"] = 2 if two or "keepalived" in self.record["trial"] else 1
        cluster = make(workers=3, seed=self.seed, params=params, fidelity=QUIESCENT, **sizes)
        if self.record.get("managers_through") == "balancer":
            for name in cluster.topology.of("scheduler-") + cluster.topology.of("controller-manager-"):
                cluster.components[name].servers = cluster.topology.front_door
        cluster.prepare(WORKLOAD)
        return cluster

    def of(self, name):
        """The component behind ``etcd@h2``."""
        return self.cluster.components[program(name)]

    def on(self, name):
        """The names, as in the record, of the programs that run on the host called *name* there."""
        there = self.cluster.hosts[host(name)].components
        return [full for full in self.programs if full.endswith(f"@{name}") and self.of(full) in there]

    @cached_property
    def programs(self):
        """Every program that the record's poller looks at: ``etcd@h1``, …"""
        planes = [f"{kind}@h{n}" for kind in ("api", "kcm", "sched") for n in (1, 2, 3)]
        balancers = [f"{kind}@lb{n}" for kind in ("haproxy", "keepalived") for n in (1, 2)]
        wanted = [f"etcd@{name}" for name in self.members] + planes + balancers
        return [name for name in wanted if program(name) in self.cluster.components]

    def set(self):
        """Start everything and let it come to rest, leaders in their places."""
        leads = {kind: self._place(kind) for kind in MANAGERS}
        self.cluster.start()
        others = [name for name in self.programs for kind, at in leads.items() if name.startswith(kind) and name != at]
        for name in others:
            self.of(name).crash()
        faults.schedule(self.cluster, [faults.parse([3, "move_leader", program(f"etcd@{self._first()}")])])
        while self.sim.now < ELECTED or not all(self.of(at).elector.leading for at in leads.values()):
            self.sim.run_until(self.sim.now + SECOND)
        for name in others:
            self.of(name).start()
        self.sim.run_until(self.sim.now + SETTLED)
        self._check(leads)
        for name in PLANES if min(self.record["loadavg_1m"]) > BUSY else ():
            server = self.of(f"api@{name}")
            server.params = changed(server.params, self._start_of(name))

    def _start_of(self, name):
        """How long an API server takes to start on a machine as busy as the recorded one, as params."""
        events, last = self.record["events"], self.record["window_s"]["client"][1]
        ups = [at for at, what, value in events if (what, value) == (f"process api@{name}", "up") and at > 0]
        if not ups:
            return {}
        said = [(at, value) for at, what, value in events if what == f"readyz {name}" and at > ups[0]]
        listens = next((at for at, value in said if value[0] != "0"), last)
        ready = next((at for at, value in said if value.startswith("200")), max(last, listens + 1))
        times = {"apiserver_boot": listens - ups[0], "bootstrap_roles": ready - listens}
        return {param: [f"{max(took, 0.2):.2f}s", f"{max(took, 0.2) + 1:.2f}s"] for param, took in times.items()}

    def hit(self):
        """The hosts that are hit, as the record names them."""
        return [name.split("@")[-1] for name in self.record["target"]["hit"]]

    def _place(self, kind):
        """Where a manager leads before the trial; one that lost its Lease and did not give it up was struck."""
        told = self.record["target"].get("leads_before", {}).get(kind) or self._struck(kind)
        safe = [h for h in PLANES if h not in self.hit()] or PLANES
        return f"{kind}@{told or safe[self.seed % len(safe)]}"

    def _struck(self, kind):
        """The host of the manager whose end was the last before its Lease was taken over; none if it gave up itself."""
        ends = [
            (at, what[-2:], value) for at, what, value in self.record["events"] if what.startswith(f"process {kind}@")
        ]
        moves = [at for at, what, value in self.record["events"] if what == f"lease {MANAGERS[kind]}" and at > 0]
        if not moves or any(value == "exit 1" for _, _, value in ends):
            return None
        waits = {"exit -9": 9, "exit -15": 9, "exit 0": 0}  # s, at least: a Lease that is not given back runs out
        before = [(at, h) for at, h, value in ends if h in self.hit() and at + waits.get(value, 999) < moves[0]]
        return max(before)[1] if before else None

    def _first(self):
        """Who leads etcd before the trial: the one that is hit, or one that lets a follower be the first that is."""
        role, hit = self.record["target"]["role"], [name for name in self.hit() if name in self.members]
        if "that is not the leader" in role:
            before = self.members[: self.members.index(hit[0])]
            return before[0] if before else self.members[1 + self.seed % 2]
        return hit[0] if hit and "leader" in role else self.members[self.seed % 3]

    def _check(self, leads):
        """The stage is as it should be."""
        wrong = [at for at in leads.values() if not self.of(at).elector.leading]
        led = self.of(f"etcd@{self._first()}")
        assert not wrong and led.leader == led.name, f"not in their places: {wrong}, {led.leader} leads etcd"
