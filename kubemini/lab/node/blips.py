"""An application that starts slowly and needs a database, under a kubelet's probes: for the cells and the checker.

It answers on port 8080: /livez says that the process works, /readyz asks the database, and so does a visitor's page.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from kubemini.api.manifests import load
from kubemini.api.objects import thaw
from kubemini.cluster import Cluster
from kubemini.containers import Answer, Request
from kubemini.containers.process import Process, Server, Sleep
from kubemini.lab.node.plugs import deployment
from kubemini.sim.units import SECOND

PORT = 8080
KINDS = ("startupProbe", "livenessProbe", "readinessProbe")
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


class Blip(NamedTuple):
    """*restarts* of containers; *failed*: how many visitors of how many got no page, and when the last one (s)."""

    restarts: int
    failed: int
    visitors: int
    last: float


class App:
    """What runs: it listens after *starts* seconds; the database does not answer in *outages*, pairs of seconds.

    *hangs*: at that second (s) each process that runs then stops answering at all, until it is started anew.
    """

    def __init__(self, starts: float, outages: Sequence[tuple[float, float]] = (), hangs: float = float("inf")):
        self.starts, self.outages, self.hangs = starts, outages, hangs
        self.listens: list[float] = []  # when each process began to (s)

    def __call__(self, process: Process) -> Iterator[Any]:
        """The program of one container."""
        begun = process.now / SECOND
        yield Sleep(round(self.starts * SECOND))
        self.listens.append(process.now / SECOND)
        process.listen(PORT, Server(self._answers(process, begun)))
        yield Sleep()

    def _answers(self, process: Process, begun: float) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            now = process.now / SECOND
            if begun < self.hangs <= now:
                return Answer(200, b"", until=process.now, delay=3600 * SECOND)
            out = any(begin <= now < end for begin, end in self.outages)
            if request.path != "/livez" and out:
                return Answer(503, b"the database does not answer", until=process.now)
            return Answer(200, b"ok", until=process.now)

        return answer


def started(app: App, probes: dict[str, Any], replicas: int = 3, seed: int = 1, every: str = "500ms") -> Cluster:
    """A cluster whose Deployment web runs *app* with those *probes*; its visitors come *every* so often."""
    (web,) = load(deployment(replicas, "{name: web, image: shop/app, ports: [{containerPort: 8080}]}"), "web")
    made: Any = thaw(web)
    made["spec"]["template"]["spec"]["containers"][0] |= probes
    cluster = Cluster.single(workers=2, seed=seed)
    for worker in ("worker-1", "worker-2"):
        cluster.hosts[worker].programs["app"] = _lives(app)
    cluster.prepare(SERVICE, {"visitors": {"service": "web", "every": every}})
    cluster.run(4)
    cluster.apply(made)
    return cluster


def _lives(app: App) -> Callable[[Process], Iterator[Any]]:
    """A generator function, as `Cluster.use_program` wants it."""

    def program(process: Process) -> Iterator[Any]:
        yield from app(process)

    return program


def restarts(cluster: Cluster, since: float = 0) -> int:
    """How many containers have been ended since that second."""
    return sum(r.detail["state"] == "exited" for r in cluster.trace.of("pod") if r.at > since * SECOND)


def blip(probes: dict[str, Any], lasts: float = 15, starts: float = 30, seed: int = 1) -> Blip:
    """The database is away for so long while three copies serve that need *starts* seconds to start."""
    begin = 20 + starts + 20
    app = App(starts, [(begin, begin + lasts)])
    cluster = started(app, probes, seed=seed)
    cluster.run(begin + 150 - cluster.sim.now / SECOND)
    visits = [r for r in cluster.trace.of("request") if r.detail["kind"] == "service" and r.at > begin * SECOND]
    failed = [r.at / SECOND - begin for r in visits if r.detail["outcome"] != "ok"]
    return Blip(restarts(cluster, begin), len(failed), len(visits), round(max(failed, default=0.0), 1))
