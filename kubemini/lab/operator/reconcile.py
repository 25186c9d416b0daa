"""operator.reconcile: so many pods as a Site says, whatever becomes of the events.

The learner's function is asked in 200 small worlds, each with a truth, and a cache that is late: some changes are heard
at once, some later, some never until the cache lists anew; the program is killed in the middle of its writes. Chance
decides, by the number of the world. What the worlds keep of a real API server: a name is taken once, a pod that is
deleted takes its time, and who fails is called again.
"""

from typing import Any

from kubemini.api.objects import Obj, evolve, freeze
from kubemini.controllers.operator import Create, Delete
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.operator.site import SITE
from kubemini.sim.chance import Draws

WORLDS, STEPS = 200, 24
MOST = 5  # replicas
ROUNDS = 3 * MOST  # looks, after which a world that has come to rest must be right


class World:
    """A Site, its pods, and what the operator's cache has of them."""

    def __init__(self, number: int, answer: Any):
        self.number, self.answer = number, answer
        self._draws, self._drawn = Draws(number, "operator.reconcile"), 0
        self.site = freeze(_site(1 + self._draw(MOST)))
        self.most = self.site["spec"]["replicas"]  # that were ever asked for
        self.pods: dict[str, Obj] = {}
        self.cache: tuple[Obj, list[Obj]] = (self.site, [])
        self.made = self.kills = self.lost = 0

    def _draw(self, below: int) -> int:
        """A whole number from 0 to *below* - 1."""
        self._drawn += 1
        return self._draws.between(self._drawn, 0, below - 1)

    # -- what happens --------------------------------------------------------------------------------------------------
    def step(self) -> None:
        """One thing happens, and the cache hears of it, or does not."""
        what = self._draw(6)
        if what == 0:
            self.site = evolve(self.site, ("spec", "replicas"), self._draw(MOST + 1))
            self.most = max(self.most, self.site["spec"]["replicas"])
        elif what == 1 and self.pods:
            self._leave(list(self.pods)[self._draw(len(self.pods))])
        elif what == 2:
            self._end_one()
        else:
            self.look(killed_after=self._draw(3) if not self._draw(4) else None)
        if self._draw(3):
            self.hear()
        else:
            self.lost += 1

    def hear(self) -> None:
        """The cache is as the truth, in some order."""
        pods = list(self.pods.values())
        first = self._draw(len(pods)) if pods else 0
        self.cache = self.site, pods[first:] + pods[:first]

    def rest(self) -> None:
        """Nothing happens any more, and all is heard: it must come right, and then nothing may be written."""
        for _ in range(ROUNDS):
            while self._end_one():
                pass
            self.hear()
            if not self.look():
                break
        alive, wanted = len(self._alive()), self.site["spec"]["replicas"]
        if alive != wanted:
            raise NotYet(
                f"World {self.number}: when all is quiet, {alive} pods run, and {wanted} are asked for.",
                f"its cache has {', '.join(sorted(self.pods)) or 'no pod'}",
                next="Which of the names that should be there is not? Which is there that should not be?",
            )
        self.hear()
        if self.look():
            raise NotYet(
                f"World {self.number}: all is as it should be, and your function still writes.",
                next="A second look at the same state must return [].",
            )

    def look(self, killed_after: int | None = None) -> int:
        """The operator looks; it may be *killed_after* so many writes. How many it wanted."""
        site, pods = self.cache
        writes = ask(self.answer, site, freeze({"Pod": pods}))
        if not isinstance(writes, list):
            raise NotYet("Return a list of Create and Delete; [] when there is nothing to do.")
        for number, write in enumerate(writes):
            if number == killed_after:
                self.kills += 1
                self.hear()  # it starts anew, and lists
                break
            if not self._carry_out(write):
                break  # it failed: the function is called again
        return len(writes)

    # -- what the API server does --------------------------------------------------------------------------------------
    def _carry_out(self, write: Any) -> bool:
        if isinstance(write, Create):
            return self._create(freeze(write.obj))
        if not isinstance(write, Delete):
            raise NotYet(f"Only Create and Delete are needed here; you returned a {type(write).__name__}.")
        meta = write.obj["metadata"]
        if "deletionTimestamp" in meta:
            raise NotYet(
                f"World {self.number}: {meta['name']} was on its way out, and you deleted it once more.",
                next="A pod that has a deletionTimestamp needs no second blow.",
            )
        there = self.pods.get(meta["name"])
        if there is not None and there["metadata"]["uid"] == meta["uid"]:
            self._leave(meta["name"])
        return True

    def _create(self, pod: Obj) -> bool:
        name = pod["metadata"].get("name")
        if not name:
            raise NotYet(
                "A pod without a name: its server would invent one, another at each call.",
                next="Call a pod after its Site and a number: then nobody can make it twice.",
            )
        if name in self.pods:
            return False  # 409 AlreadyExists
        self.made += 1
        self.pods[name] = evolve(pod, ("metadata", "uid"), f"{name}/{self.made}")
        if len(self._alive()) > self.most:
            raise NotYet(
                f"World {self.number}: at most {self.most} replicas were ever asked for, and {len(self._alive())} pods"
                " run.",
                f"they are called {', '.join(sorted(self._alive()))}",
                next="Your cache may be late: what you do not see may be there. Give pods names that exist once.",
            )
        return True

    def _alive(self) -> list[str]:
        return [name for name, pod in self.pods.items() if "deletionTimestamp" not in pod["metadata"]]

    def _leave(self, name: str) -> None:
        if name in self._alive():
            self.pods[name] = evolve(self.pods[name], ("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z")

    def _end_one(self) -> bool:
        """A pod that was deleted has stopped."""
        ended = [name for name in self.pods if name not in self._alive()]
        if ended:
            del self.pods[ended[0]]
        return bool(ended)


def _site(replicas: int) -> dict[str, Any]:
    meta = {"name": "shop", "namespace": "default", "uid": "site", "generation": 1}
    spec = {"image": "shop/web:1.0", "replicas": replicas}
    return {"apiVersion": SITE.api_version, "kind": SITE.kind, "metadata": meta, "spec": spec}


@exercise("operator.reconcile")
def check_reconcile(answer: Any) -> Report:
    """*answer*: reconcile(site, observed) → writes; 200 worlds of trouble, each of which must come to rest."""
    made = kills = lost = 0
    for number in range(WORLDS):
        world = World(number, answer)
        for _ in range(STEPS):
            world.step()
        world.rest()
        made, kills, lost = made + world.made, kills + world.kills, lost + world.lost
    return Report(
        "pass",
        (
            f"{WORLDS} worlds came to rest with as many pods as were asked for; {made} pods were made, none twice",
            f"{lost:,} changes were not heard of, and {kills} times the program died between two writes",
            "a second look at the same state wrote nothing",
        ),
        "You never asked what had happened, only what there is: so nothing that was lost could mislead you.",
    )
