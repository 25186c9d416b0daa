"""operator.status: a status that is true, says of which generation, and is written only when it changes.

The learner's function reports; all else is done by an operator that works. A Site is made and grows; then nothing
happens for a while. Each write of the status wakes the operator once more: who always
writes, always runs.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import condition
from kubemini.controllers.operator import Operator, Patch, Write
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.operator.site import APPLY, World, keep, site
from kubemini.ranges import shown
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

HOT = 60  # writes of a status, after which it is a hot loop
GROWN, QUIET, END = 20, 40, 60  # seconds after its making


class Counting(Operator):
    """An operator that remembers each status that it wrote, and when; a hot loop it leaves."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.reports: list[tuple[int, Obj, Obj]] = []

    def carry_out(self, write: Write) -> Steps:
        """As any operator does."""
        error = yield from super().carry_out(write)
        if isinstance(write, Patch) and write.subresource == "status":
            self.reports.append((self.sim.now, write.obj, write.body["status"]))
            if len(self.reports) > HOT:
                self.crash()
        return error


@exercise("operator.status")
def check_status(answer: Any) -> Report:
    """*answer*: report(site, observed) → [] or one Patch of the status."""
    wrong: list[NotYet] = []

    def reconcile(obj: Obj, observed: Mapping[str, Any]) -> list[Write]:
        try:
            return [*keep(obj, observed), *_checked(ask(answer, obj, observed))]
        except NotYet as end:
            wrong.append(end)
            return []

    world = World()
    operator = world.add(reconcile, make=Counting)
    assert isinstance(operator, Counting)
    begun = world.cluster.sim.now
    world.kubectl(APPLY, site(replicas=2))
    _run(world, operator, wrong, GROWN)
    world.kubectl("scale site shop --replicas=3")
    _run(world, operator, wrong, END - GROWN)
    _true(world.get("site shop"), 3)
    _honest(operator)
    late = [at for at, _, _ in operator.reports if at > begun + QUIET * SECOND]
    if late:
        raise NotYet(
            f"Nothing changed in the last {END - QUIET} s, and you wrote the status {len(late)} times.",
            next="What in it is new each time?",
        )
    moved = len({get(status, "conditions", 0, "lastTransitionTime") for _, _, status in operator.reports})
    return Report(
        "pass",
        (
            f"{len(operator.reports)} writes for a Site that was made, then grew; none in the quiet {END - QUIET} s",
            f"Ready changed {moved} times, and its lastTransitionTime as often",
            "at the end observedGeneration is 2, and so is the generation of the Site",
        ),
        "A status is what others wait for: it says of which wish it speaks, and is silent when there is no news.",
    )


def _checked(writes: Any) -> list[Patch]:
    if not isinstance(writes, list) or len(writes) > 1:
        raise NotYet(f'Return [] or [Patch(site, {{"status": …}}, "status")]; it returned {shown(writes)}.')
    for write in writes:
        if not isinstance(write, Patch) or write.subresource != "status" or "status" not in write.body:
            raise NotYet('A Patch of the status has the body {"status": …} and the sub-resource "status".')
    return writes


def _run(world: World, operator: Counting, wrong: list[NotYet], seconds: int) -> None:
    for _ in range(seconds):
        world.run(1)
        if wrong:
            raise wrong[0]
        if not operator.up:
            took = (operator.reports[-1][0] - operator.reports[0][0]) / SECOND
            raise NotYet(
                f"A hot loop: {len(operator.reports)} writes of the status within {took:.1f} s.",
                next="Each write is a change, which wakes you. Does your status hold the time, or anything else that"
                " is new each time?",
            )


def _true(found: Obj, replicas: int) -> None:
    status = found.get("status") or {}
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        raise NotYet(
            f"The Site has generation {found['metadata']['generation']}; its status says observedGeneration"
            f" {shown(status.get('observedGeneration'))}.",
            next='Copy site["metadata"]["generation"]: it counts what people wish, not what you write.',
        )
    ready = condition(found, "Ready")
    if ready is None or ready["status"] != "True" or status.get("ready") != replicas:
        raise NotYet(
            f"{replicas} of {replicas} pods are ready; the status says ready {shown(status.get('ready'))}, and the"
            f" condition Ready is {shown(ready and ready['status'])}.",
            next="Ready is True when as many pods are ready as the Site asks for.",
        )


def _honest(operator: Counting) -> None:
    """No status said more than was true of the Site it was made for; a transition has one time."""
    before: Obj | None = None
    for _, obj, status in operator.reports:
        held = obj.get("status") or {}
        if all(held.get(key) == value for key, value in status.items()):
            raise NotYet(
                "You wrote a status that was there already, word for word.",
                next="It changes nothing, and costs the API server a request: compare, and return [].",
            )
        after = condition({"status": status}, "Ready")
        if after is None:
            raise NotYet("There is no condition Ready in your status.", next="Is it there from the first write on?")
        if after["status"] == "True" and status.get("ready", 0) < obj["spec"]["replicas"]:
            raise NotYet(f"You said Ready while {status.get('ready', 0)} of {obj['spec']['replicas']} pods were ready.")
        if before is not None and before["status"] == after["status"]:
            if before["lastTransitionTime"] != after["lastTransitionTime"]:
                raise NotYet(
                    f"Ready stayed {after['status']}, and its lastTransitionTime moved.",
                    next="It tells since when it is so: keep the old one as long as the word is the same.",
                )
        before = after
