"""metrics-server, the program: it knows the pods, is told what they use, and answers for metrics.k8s.io.

The API server passes on to it what is asked of that group, as to any server behind an APIService; it is one program on
one machine, and while it is down nobody can tell how many pods there should be.
kubernetes-sigs/metrics-server pkg/server.
Simplified: it is told what pods use (`usage`) instead of asking each kubelet every 15 s, so what it says is of now;
it writes its APIService itself, where the real one's manifest does.
"""

from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import freeze
from kubemini.client import ApiClient
from kubemini.client.client import code
from kubemini.client.informer import Informer
from kubemini.host import Component, Host
from kubemini.metricsserver.decide import answers
from kubemini.metricsserver.decide.answers import GROUP, VERSION, Usage
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Network

USER = "system:serviceaccount:kube-system:metrics-server"
SERVICE = ("kube-system", "metrics-server")
API_SERVICE = KNOWN["apiregistration.k8s.io/v1", "APIService"]
RESOLUTION, AGAIN = 15 * SECOND, SECOND  # --metric-resolution; the pause before it registers again


class MetricsServer(Component):
    """One copy of it; *usage* says what pods use from now on, and *window* (µs) over how long it was measured."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.usage: Usage = {}
        self.window = RESOLUTION

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, USER)
        self.pods = Informer(self.client, POD)
        self.pods.start()
        self.spawn(self._register())

    def _register(self) -> Steps:
        """Say to the API server who answers for the group."""
        spec = {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 100, "versionPriority": 100}
        spec |= {"service": dict(zip(("namespace", "name"), SERVICE, strict=True)), "insecureSkipTLSVerify": True}
        meta = {"name": f"{VERSION}.{GROUP}"}
        body = freeze({"apiVersion": API_SERVICE.api_version, "kind": API_SERVICE.kind, "metadata": meta, "spec": spec})
        while True:
            reply = yield from self.client.create(body)
            if reply.ok or code(reply) == 409:
                return
            yield self.timeout(AGAIN)

    def handle(self, call: Call) -> None:
        """A request that the API server passes on."""
        pods = sorted(self.pods.values(), key=lambda pod: (pod["metadata"]["namespace"], pod["metadata"]["name"]))
        asked: Any = call.payload
        found = answers.answer(asked, pods, self.usage, self.window, self.sim.wall)
        if isinstance(found, ApiError):
            call.fail(found)
        else:
            call.reply(found)
