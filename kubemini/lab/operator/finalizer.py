"""operator.finalizer: a name at a provider is rented once and given back once, though the operator is killed.

One cluster, and a Site for each write at which the operator can die: it is killed just after that write was done, and
started again two seconds later. Meanwhile Sites are deleted. The provider keeps a list of all calls.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj
from kubemini.controllers.operator import Call, Operator, Patch, Write
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.operator.site import APPLY, SITE, World, site
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

DOOMS = 5  # Sites: site-0 lives in peace, the operator dies after the first write for site-1, the second for site-2 …
PAUSE = 2 * SECOND
OTHER = "other.example/keep"  # a finalizer of somebody else
MOST = 12  # writes for one Site, after which it goes round in circles


class Doomed(Operator):
    """An operator that is killed after some of its writes."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.written: Counter[str] = Counter()  # writes for each Site
        self.deaths: dict[str, str] = {}  # Site → after what
        self.early: list[str] = []  # Sites whose name was rented before it was promised to be given back

    def carry_out(self, write: Write) -> Steps:
        """As any operator does; then it may be the end."""
        name = write.name if isinstance(write, Call) else write.obj["metadata"]["name"]
        if isinstance(write, Call) and write.verb == "create":
            yield from self._look_at(name)
        error = yield from super().carry_out(write)
        self.written[name] += 1
        if name == f"site-{self.written[name]}" and name not in self.deaths:
            self.deaths[name] = f"after it had {_done(write)}"
            self.sim.command(self.sim.now + PAUSE, self.start)
            self.crash()
        return error

    def _look_at(self, name: str) -> Steps:
        """Is what is about to be rented already promised to be given back? The API server is asked."""
        reply = yield from self.client.get(SITE, name, "default")
        if reply.ok and not set(reply.value["metadata"].get("finalizers") or ()) - {OTHER}:
            self.early.append(name)


def _done(write: Write) -> str:
    if isinstance(write, Call):
        return "rented the name" if write.verb == "create" else "given the name back"
    return "changed the finalizers"


@exercise("operator.finalizer")
def check_finalizer(answer: Any) -> Report:
    """*answer*: reconcile(site, observed) → Patch of the finalizers and Calls of the provider."""
    wrong: list[NotYet] = []
    world = World(workers=0)

    def reconcile(obj: Obj, observed: Mapping[str, Any]) -> list[Write]:
        try:
            writes = ask(answer, obj, {"outside": observed["outside"], "now": observed["now"]})
            if not isinstance(writes, list) or not all(isinstance(one, Patch | Call) for one in writes):
                raise NotYet("Return a list of Patch and Call; [] when there is nothing to do.")
        except NotYet as end:
            wrong.append(end)
            return []
        return list(writes)

    operator = world.add(reconcile, host="cp-1", make=Doomed)
    assert isinstance(operator, Doomed)
    names = [f"site-{n}" for n in range(DOOMS)]
    for name in names:
        world.kubectl(APPLY, site(name, finalizers=f"[{OTHER}]") if name == names[0] else site(name))
    for phase in (_rented, _given_back):
        phase(world, operator, names, wrong)
    calls = Counter((call.verb, call.name) for call in world.provider.calls)
    twice = [f"{verb} {name}" for (verb, name), number in calls.items() if number > 1]
    if twice:
        raise NotYet(
            f"The provider was called twice: {twice[0]}.",
            *_facts(operator),
            next='Whoever was killed after a call does not know of it. observed["outside"] tells what there is.',
        )
    return Report(
        "pass",
        (f"{len(names)} names were rented once each, and given back once each", *_facts(operator)),
        "First promise to clean up, then make what must be cleaned up; clean up, then take the promise back.",
    )


def _rented(world: World, operator: Doomed, names: list[str], wrong: list[NotYet]) -> None:
    _run(world, operator, wrong, 12)
    missing = [name for name in names if name not in world.provider.things]
    if missing:
        raise NotYet(
            f"{missing[0]} is there, and nobody has rented its name.",
            *_facts(operator),
            next="A finalizer first; the look that follows its being stored finds it there, and can call the provider.",
        )
    if operator.early:
        raise NotYet(
            f"The name of {operator.early[0]} was rented before its finalizer was stored.",
            next="If somebody deletes the Site now, it is gone at once, and nobody knows of the name.",
        )


def _given_back(world: World, operator: Doomed, names: list[str], wrong: list[NotYet]) -> None:
    for name in names:
        world.kubectl(f"delete site {name} --wait=false")
    _run(world, operator, wrong, 12)
    if world.provider.things:
        name = next(iter(world.provider.things))
        raise NotYet(
            f"{name} was deleted, and its name is still rented.",
            *_facts(operator),
            next="A Site with a deletionTimestamp waits for you: give the name back, then take your finalizer away.",
        )
    left = {obj["metadata"]["name"]: obj["metadata"].get("finalizers") for obj in world.get("sites")}
    if left.pop("site-0", None) != [OTHER]:
        raise NotYet(
            f"site-0 had a finalizer of somebody else, {OTHER}, and it is gone.",
            next="Add yours to those that are there, and take away yours alone.",
        )
    if left:
        raise NotYet(
            f"{next(iter(left))} has been deleted, its name is given back, and it is still there.",
            *_facts(operator),
            next="Who finds nothing left to give back must take the finalizer away all the same.",
        )


def _run(world: World, operator: Doomed, wrong: list[NotYet], seconds: int) -> None:
    for _ in range(4 * seconds):
        world.run(0.25)
        if wrong:
            raise wrong[0]
        busy = [name for name, number in operator.written.items() if number > MOST]
        if busy:
            raise NotYet(
                f"More than {MOST} writes for {busy[0]}: each one wakes you again.",
                next="Return [] when the finalizer is there and the name is rented.",
            )


def _facts(operator: Doomed) -> list[str]:
    killed = [f"for {name} {when}" for name, when in sorted(operator.deaths.items())]
    return [f"the operator was killed {'; '.join(killed)}"] if killed else []
