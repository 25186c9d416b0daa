"""The world that recorded sessions are played in: one API server over one etcd, asked in the simulator's own process.

`Inside` stands where run.py has its `Server`: it takes a step and gives code, answer and headers, without a socket.
A request is answered at the speed of the machine; only what waits lets simulated time pass.
"""

import json

from kubemini.cluster import Cluster
from kubemini.cluster.topology import build
from kubemini.cluster.topology.bare import without
from kubemini.params import Params
from kubemini.sim.units import SECOND
from tests.oracles.sessions.adapter import HttpRequest, handle

USERS = ("admin", "dev")
PATIENCE = 120 * SECOND  # of simulated time, for one answer


class Inside:
    """An API server of its own, to be asked as run.py asks one."""

    def __init__(self, needs=("api",)):
        gone = ("scheduler",) if "controllers" in needs else ("scheduler", "controller-manager")
        self.cluster = Cluster(without(build("single", workers=0), *gone), params=Params())
        self.sim, self.server = self.cluster.sim, self.cluster.components["apiserver-1"]
        self.until(lambda: self.server.core.health.settled and self.server.listens)

    def until(self, happened, patience=PATIENCE):
        """Let time pass until *happened()*. Raises TimeoutError."""
        sim, end = self.sim, self.sim.now + patience
        self.cluster.start()
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
        """The answer to a step's request."""
        headers, body = {"User-Agent": agent, "Accept": "application/json"}, step.get("body")
        user = step.get("as", "admin")
        if user in USERS:
            headers["Authorization"] = f"Bearer {user}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        headers |= step.get("headers", {})
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        asked = HttpRequest(step.get("method", "GET"), step["path"], tuple(headers.items()), data, None)
        answers = []
        self.server.spawn(self._serve(asked, answers))
        self.until(lambda: answers)
        return answers[0]

    def _serve(self, asked, answers):
        answers.append((yield from handle(self.server, asked)))

    def whole(self, answer):
        """The bytes of an answer that is no stream; those of a stream until its end."""
        if isinstance(answer.body, bytes):
            return answer.body
        return b"".join(self.lines(answer, None, PATIENCE / SECOND))

    def lines(self, answer, wanted, seconds):
        """The events of a stream: *wanted* of them (None: all), or those that come within *seconds*."""
        stream, end = answer.body, self.sim.now + round(seconds * SECOND)

        def enough():
            return stream.closed or (wanted is not None and len(stream.pushed) >= wanted)

        while not enough() and self.sim.next_instant() <= end:
            self.sim.step()
        return stream.pushed[:wanted]
