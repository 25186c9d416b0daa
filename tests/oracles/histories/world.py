"""The cluster that a history is played on: a control plane of our own, and hollow nodes where the history has them."""

import json
import re
from dataclasses import replace

from kubemini.api.timestamps import timestamp
from kubemini.apiserver.http import Exchange, HttpRequest
from kubemini.cluster.topology import WORKER, build
from kubemini.cluster.topology.spec import HostSpec
from kubemini.sim.units import MINUTE, SECOND, written
from tests.oracles.histories.phases import WORK
from tests.oracles.sessions.world import Inside

AGENT = "history/1.0"
DISK = ["2ms", "4ms"]  # a write on the recorder's busy machine: between two of them, programs of its own host looked on
LIMITS = (("kube_api_qps", 300), ("kube_api_burst", 500))  # of the recorded controllers, so that none slows another


class World(Inside):
    """One API server, its controllers, and simulated time, asked from outside."""

    def __init__(self, recorded, seed=1, plan=None):
        hollow = dict.fromkeys(step["hollow"] for step in recorded["steps"] if "hollow" in step)
        machine = ("disk_fsync", DISK), ("node_monitor_work", written(WORK)), *LIMITS
        params = *machine, *(parameter(flag) for flag in recorded.get("flags") or ())
        measured = any("metrics" in step for step in recorded["steps"])
        super().__init__(recorded["needs"], params, plan or topology(hollow), measured, seed)
        if self.metrics is not None:
            self.metrics.window = SECOND  # of the one that the recorder served

    def ask(self, method, path, body=None, type="application/json"):
        """(code, answer) of one request."""
        headers = {"Content-Type": type} if body is not None else {}
        answer = self.send({"method": method, "path": path, "body": body, "headers": headers}, AGENT)
        return answer.status, json.loads(answer.body)

    def tell(self, method, path, body, type="application/json", answered=lambda answer: None):
        """Send a request and do not wait for what comes of it."""
        headers = (("Authorization", "Bearer admintoken"), ("User-Agent", AGENT), ("Content-Type", type))
        Exchange(self.server, HttpRequest(method, path, headers, json.dumps(body).encode()), answered)

    def reach(self, instant):
        """Let time pass until *instant* (µs)."""
        self.sim.run_until(max(self.sim.now, instant))

    def second(self):
        """The second of the minute of the cluster's clock."""
        return self.sim.now % MINUTE / SECOND

    def ago(self, seconds=0):
        """The instant so long ago, as objects have it."""
        return timestamp(self.sim.now - seconds * SECOND)

    def every(self, period, act):
        """Call *act()* each *period* µs, until it says False."""
        if act() is not False:
            self.sim.occur(period, 1, self.every, period, act)


def parameter(flag):
    """("terminated_pod_gc_threshold", "5") of ``--terminated-pod-gc-threshold=5``."""
    name, value = re.search(r"--([\w-]+)[= ](\S+)$", flag).groups()
    return name.replace("-", "_"), value


def topology(hollow):
    """One control plane, and hosts of these names, whose programs are started later."""
    plane = build("single", workers=0)
    hosts = tuple(HostSpec(name, "", WORKER, (f"pods@{name}", f"kubelet@{name}")) for name in hollow)
    return replace(plane, hosts=(*plane.hosts, *hosts), spares=tuple(c for host in hosts for c in host.components))
