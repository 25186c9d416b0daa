"""The world that recorded sessions are played in: one API server over one etcd, asked in the simulator's own process.

`Inside` stands where run.py has its `Server`: it takes a step and gives status, headers and body, without a socket.
A request is answered at the speed of the machine; only what waits lets simulated time pass.
"""

import json
from dataclasses import replace

from kubemini.apiserver import flags
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.cluster import Cluster
from kubemini.cluster.topology import build
from kubemini.cluster.topology.bare import without
from kubemini.params import Params, changed
from kubemini.serve.world import AS_REAL
from kubemini.sim.units import SECOND

USERS = {"admin": ("system:masters",), "dev": ("developers",)}
TOKENS = {f"{name}token": UserInfo(name, groups, name) for name, groups in USERS.items()}
RECORDED = {"service_cluster_ip_range": "10.96.0.0/16"}  # of every recording, unless it says otherwise
YEAR = 365 * 86_400 * SECOND  # sessions speak of dates that were past when they were recorded
PATIENCE = 120 * SECOND  # of simulated time, for one answer


class Inside:
    """An API server of its own, to be asked as run.py asks one."""

    def __init__(self, needs=("api",), params=(), topology=None, measured=False, seed=1, off=()):
        gone = {"kubectl", "scheduler", "controller-manager"}
        gone -= {"controller-manager"} if "controllers" in needs else set()
        gone -= {"scheduler"} if "scheduler" in needs else set()
        if "controllers" in needs:
            params = (*params, *AS_REAL.items())
        topology = without(topology or build("single", workers=0), *gone)
        self.cluster = Cluster(topology, seed, params=changed(Params(), {**RECORDED, **dict(params)}))
        self.sim, self.server = self.cluster.sim, self.cluster.components["apiserver-1"]
        self.server.flags = replace(flags.as_real(TOKENS), disabled_plugins=off)
        if "compaction" in needs:  # as the recorded server of these: --etcd-compaction-interval 2s
            self.server.flags = replace(self.server.flags, compaction=2 * SECOND)
        self.metrics = self.cluster.use_metrics_server() if measured else None
        self.sim.begin_at(YEAR)
        self.cluster.start()
        self.until(lambda: self.server.core.health.ready)

    def until(self, happened, patience=PATIENCE):
        """Let time pass until *happened()*. Raises TimeoutError."""
        sim, end = self.sim, self.sim.now + patience
        while not happened():
            if sim.next_instant() > end:
                raise TimeoutError(f"no answer within {patience // SECOND} s of simulated time")
            sim.step()

    def sleep(self, seconds):
        """Let *seconds* pass."""
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def clock(self):
        """Seconds since the simulation began."""
        return self.sim.now / SECOND

    def send(self, step, agent):
        """The HttpResponse to a step's request."""
        headers, body = {"User-Agent": agent, "Accept": "application/json"}, step.get("body")
        user = step.get("as", "admin")
        if user in USERS:
            headers["Authorization"] = f"Bearer {user}token"
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers |= step.get("headers", {})
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        answers = []
        asked = HttpRequest(step.get("method", "GET"), step["path"], tuple(headers.items()), data)
        Exchange(self.server, asked, answers.append)
        self.until(lambda: answers)
        assert isinstance(answers[0], HttpResponse), answers[0]
        return answers[0]

    def whole(self, answer):
        """The bytes of an answer; of a stream, all until its end."""
        if isinstance(answer.body, bytes):
            return answer.body
        return b"".join(self.events(answer, None, PATIENCE / SECOND))

    def events(self, answer, wanted, seconds):
        """The events of a stream: *wanted* of them (None: all), or those that come within *seconds*."""
        stream, end, events = answer.body, self.sim.now + round(seconds * SECOND), []
        while wanted is None or len(events) < wanted:
            event = stream.read()
            if event is not None:
                events.append(event)
            elif stream.ended or self.sim.next_instant() > end:
                break
            else:
                self.sim.step()
        stream.close()
        return events
