"""What befalls operators, for the cells of *Write an operator*: an outage, a fight, a death in office."""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api.objects import Obj
from kubemini.controllers.operator import Call, Create, Operator, Patch, Reconcile, Write
from kubemini.lab.operator.site import APPLY, World, deployment_of, keep, site
from kubemini.sim import Trace
from kubemini.sim.units import SECOND

DOWN, WISH, LOSS, BACK, LAST, END = 20, 30, 40, 60, 80, 100  # seconds after the Site was made


class Script(Operator):
    """No operator, but what many a shell script does: ``kubectl get sites --watch-only``, and act on each line.

    It is told what happens to Sites while it listens; it never lists, looks at nothing else and asks for nothing again.
    """

    def lead(self) -> None:
        self.spawn(self._listen())

    def _listen(self) -> Any:
        reply = yield from self.client.list(self.kind)
        version = reply.value["metadata"]["resourceVersion"]
        self.client.watch(self.kind, self._heard, lambda error: None, resourceVersion=version)

    def _heard(self, event: Mapping[str, Any]) -> None:
        obj = event["object"]
        if event["type"] == "ADDED":
            self.spawn(self.carry_out(Create(deployment_of(obj))))
        elif event["type"] == "MODIFIED":
            wanted = {"spec": {"replicas": obj["spec"]["replicas"]}}
            self.spawn(self.carry_out(Patch(deployment_of(obj), wanted)))


def outage(make: type[Operator] = Operator, reconcile: Reconcile = keep) -> list[tuple[float, int]]:
    """(seconds, ready pods) of a Site whose operator is dead from `DOWN` to `BACK`.

    Meanwhile somebody wishes for four pods, and somebody deletes the Deployment; at `LAST` three are wished for.
    """
    world = World()
    operator = world.add(reconcile, make=make)
    world.run(2)
    begun = world.cluster.sim.now
    world.kubectl(APPLY, site(replicas=2))
    deeds: list[tuple[int, Callable[[], Any]]] = [
        (DOWN, operator.crash),
        (WISH, lambda: world.kubectl("scale site shop --replicas=4")),
        (LOSS, lambda: world.kubectl("delete deployment shop --wait=false")),
        (BACK, operator.start),
        (LAST, lambda: world.kubectl("scale site shop --replicas=3")),
        (END, lambda: None),
    ]
    for at, deed in deeds:
        world.cluster.run_until(begun + at * SECOND)
        deed()
    return [(at / SECOND - begun / SECOND, number) for at, number in ready(world.cluster.trace)]


def ready(trace: Trace, name: str = "shop") -> list[tuple[int, int]]:
    """(µs, ready pods) whenever the number that the Deployment *name* tells of changes."""
    found: list[tuple[int, int]] = []
    for record in trace.of("object"):
        detail = record.detail
        if (detail["kind"], detail["namespace"], detail["name"]) != ("Deployment", "default", name):
            continue
        number = 0 if detail["verb"] == "DELETED" else detail["summary"]["ready"]
        if not found or found[-1][1] != number:
            found.append((record.at, number))
    return found


def wants(replicas: int) -> Reconcile:
    """An operator that is sure of a number, whatever the Site says."""

    def reconcile(site: Obj, observed: Mapping[str, Any]) -> list[Write]:
        if not observed["Deployment"]:
            return [Create(deployment_of(site))]
        (there,) = observed["Deployment"]
        return [] if there["spec"]["replicas"] == replicas else [Patch(there, {"spec": {"replicas": replicas}})]

    return reconcile


def fight(seconds: float = 1, sure: tuple[int, ...] = (2, 3)) -> dict[str, int]:
    """What comes of so many seconds with an operator for each number in *sure*, at the same Deployment."""
    world = World()
    for number, replicas in enumerate(sure, 1):
        world.add(wants(replicas), f"operator-{number}", f"worker-{number}")
    world.run(2)
    world.kubectl(APPLY, site(replicas=sure[0]))
    begun = world.cluster.sim.now
    world.run(seconds)
    trace = world.cluster.trace
    return {
        "writes of the operators": sum(record.at > begun for record in trace.of("log")),
        "pods made": sum(
            r.detail["kind"] == "Pod" and r.detail["verb"] == "ADDED" for r in trace.of("object") if r.at > begun
        ),
    }


def rough(number: int) -> str:
    """*number* as far as it would be the same another time: a few are told, then dozens, hundreds, thousands."""
    return str(number) if number < 10 else ("dozens", "hundreds", "thousands")[min(len(str(number)), 4) - 2]


def takeover(fault: str = "crash", at: float = 20, seed: int = 1) -> tuple[str, float]:
    """Two copies with a Lease; *fault* (crash, pause or terminate) befalls the holder *at* so many seconds.

    Who acts then, and after how many seconds; nobody and infinity if no one does within a minute.
    """
    world = World(seed=seed, workers=1)
    copies = [world.add(keep, name, "worker-1", lease="sites") for name in ("operator-1", "operator-2")]
    begun = world.cluster.sim.now
    world.run(at)
    holder = next(copy for copy in copies if copy.name == world.cluster.trace.of("holder")[-1].actor)
    getattr(holder, fault)()
    struck = world.cluster.sim.now
    world.run(60)
    later = [r for r in world.cluster.trace.of("holder") if r.at > struck and r.detail["lease"] == "sites"]
    assert struck - begun == round(at * SECOND)
    return (later[0].actor, (later[0].at - struck) / SECOND) if later else ("nobody", float("inf"))


MINE = "book.example/name"


def rents(site: Obj, observed: Mapping[str, Any]) -> list[Write]:
    """An operator that rents a name for each Site, and has promised to give it back (`MINE`)."""
    meta = site["metadata"]
    if "deletionTimestamp" in meta:
        return [Call("delete", meta["name"]), Patch(site, {"metadata": {"finalizers": []}})]
    if MINE not in (meta.get("finalizers") or ()):
        return [Patch(site, {"metadata": {"finalizers": [MINE]}})]
    return [] if meta["name"] in observed["outside"] else [Call("create", meta["name"])]
