"""controllers.replicas: what a ReplicaSet's controller decides, in 200 small worlds with events in any order.

In each, pods fail, end, are deleted and adopted by nobody, somebody scales, and the answer is asked at any time, often
for nothing, now and then twice in a row.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.ranges import shown

WORLDS, STEPS = 200, 25
Pod = dict[str, Any]


class World:
    """A ReplicaSet, its pods and some of others, by the *number* of the world."""

    def __init__(self, number: int):
        self.dice = Random(f"replicas/{number}")
        self.desired: dict[str, Any] = {"name": "web", "replicas": self.dice.randint(0, 5)}
        self.pods: dict[str, Pod] = {}
        self.count = self.made = self.deleted = 0
        for _ in range(self.dice.randint(0, 4)):
            self.add("web")
        for owner in ("api", ""):
            self.add(owner)

    def add(self, owner: str) -> None:
        """A new pod of *owner*."""
        self.count += 1
        name = f"{owner or 'stray'}-{self.count}"
        self.pods[name] = {"name": name, "owner": owner, "phase": "Running", "ready": True, "deleting": False}

    def active(self) -> list[str]:
        """Those that count for web."""
        return [p["name"] for p in self.pods.values() if p["owner"] == "web" and counts(p)]

    def happen(self) -> None:
        """Something befalls somebody."""
        what = self.dice.choice(["fail", "end", "delete", "vanish", "scale", "scale", "unready", "nothing"])
        if what == "scale":
            self.desired = {**self.desired, "replicas": self.dice.randint(0, 6)}
        if not self.pods or what in ("scale", "nothing"):
            return
        pod = self.pods[self.dice.choice(sorted(self.pods))]
        if what == "vanish":
            del self.pods[pod["name"]]
        else:
            befalls: dict[str, Pod] = {
                "fail": {"phase": "Failed", "ready": False},
                "end": {"phase": "Succeeded", "ready": False},
                "delete": {"deleting": True},
                "unready": {"ready": False},
            }
            pod |= befalls[what]

    def seen(self) -> list[Pod]:
        """All pods, in any order."""
        pods = [dict(pod) for pod in self.pods.values()]
        self.dice.shuffle(pods)
        return pods

    def do(self, step: Any) -> None:
        """Carry out one of the answer's steps. Raises NotYet for what is none, or concerns another's pod."""
        match step:
            case "create":
                self.made += 1
                self.add("web")
            case ("delete", str(name)):
                pod = self.pods.get(name)
                if pod is None:
                    raise NotYet(f"Your answer deletes {shown(name)}, which is not there.")
                if pod["owner"] != "web":
                    raise NotYet(
                        f"Your answer deletes {name}, whose owner is {pod['owner'] or 'nobody'}.",
                        next="A controller looks only at pods that are its own: compare owner and name.",
                    )
                self.deleted += 1
                pod["deleting"] = True
            case _:
                raise NotYet(f'{shown(step)} is no step: give "create" or ("delete", name).')


def counts(pod: Mapping[str, Any]) -> bool:
    """Whether a pod still is one of those that are wanted."""
    return pod["phase"] not in ("Failed", "Succeeded") and not pod["deleting"]


@exercise("controllers.replicas")
def check_replicas(answer: Any) -> Report:
    """*answer*: ``reconcile(desired, actual)`` → steps."""
    made = deleted = asked = 0
    for number in range(WORLDS):
        world = World(number)
        for _ in range(STEPS):
            for _ in range(world.dice.randint(0, 3)):
                world.happen()
            look(answer, world)
            asked += 1
        made, deleted = made + world.made, deleted + world.deleted
    return Report(
        "pass",
        (
            f"{WORLDS} worlds, asked {asked:,} times: each time the number was right at once, and stayed so",
            f"{made:,} pods made, {deleted:,} deleted, none of them somebody else's",
            "asked for the second time, it had nothing to do",
        ),
        "It was never told what happened: the pods that are there are all it needs.",
        "Which of your worlds would a program that counts events have got wrong?",
    )


def look(answer: Any, world: World) -> None:
    """Ask once, carry it out, ask again."""
    wanted, before = world.desired["replicas"], world.active()
    steps = listed(ask(answer, dict(world.desired), world.seen()))
    ready = [name for name in before if world.pods[name]["ready"]]
    for step in steps:
        world.do(step)
        _bounds(world, before, wanted)
    if len(world.active()) != wanted:
        raise NotYet(
            f"{wanted} wanted, {len(before)} that count; after your steps there are {len(world.active())}.",
            f"your steps: {shown(steps)}",
            next="A pod of another owner, one that has failed or ended, and one that is being deleted do not count.",
        )
    lost = [name for name in ready if name not in world.active()]
    if lost and any(not world.pods[name]["ready"] for name in world.active()):
        raise NotYet(
            f"Your answer deletes {lost[0]}, which is ready, and keeps one that is not.",
            next="Sort before you delete: those that are not ready go first.",
        )
    again = listed(ask(answer, dict(world.desired), world.seen()))
    if again:
        raise NotYet(
            f"Asked once more, though nothing has changed, it wants {shown(again)}.",
            next="It must return [] when all is as wanted: whoever wakes it does not know whether it must.",
        )


def _bounds(world: World, before: Sequence[str], wanted: int) -> None:
    """On the way there are never more than one too many, nor fewer than need be."""
    there = len(world.active())
    if there > max(len(before), wanted) + 1:
        raise NotYet(f"On the way there were {there} pods, with {wanted} wanted: that is more than one too many.")
    if there < min(len(before), wanted):
        raise NotYet(f"On the way there were {there} pods, with {wanted} wanted and {len(before)} before.")


def listed(steps: Any) -> list[Any]:
    """*steps* as a list. Raises NotYet."""
    if not isinstance(steps, list | tuple):
        raise NotYet(f'Return a list of steps, such as ["create", ("delete", "web-1")]; got {shown(steps)}.')
    return list(steps)
