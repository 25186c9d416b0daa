"""rollouts.emptying: three nodes are emptied and rebooted, one after the other, and eight of ten pods stay ready.

The learner gives a budget and the lines that he types, each after the end of the one before. A node that a drain has
emptied is rebooted at once, whoever still runs there.
"""

from typing import Any

from kubemini import kubectlline
from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.rollouts.stories import NAME, SERVICE, budget, deployment, manifests, tally
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND
from kubemini.view.rollouts import READY, strip_of

SEEDS, WORKERS = range(1, 4), ("worker-1", "worker-2", "worker-3")
REPLICAS, LEAST = 10, 8
BEGINS, PATIENCE, LINES = 15, 90, 12  # s, s a line may take, how many
DOWN, BACK = 2, 4  # s: without power, and until its kubelet is at work again


@exercise("rollouts.emptying")
def check_emptying(answer: Any) -> Report:
    """*answer*: ``{"budget": a PodDisruptionBudget's spec without selector, "lines": [kubectl lines]}``."""
    if not isinstance(answer, dict) or set(answer) != {"budget", "lines"}:
        raise NotYet("Give a dict with budget and lines.")
    lines, spec = answer["lines"], answer["budget"]
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) for line in lines):
        raise NotYet('lines is a list of kubectl lines, such as ["drain worker-1"].')
    if len(lines) > LINES:
        raise NotYet(f"{LINES} lines are enough; these are {len(lines)}.")
    if not isinstance(spec, dict):
        raise NotYet('budget is a dict, such as {"minAvailable": 1}; {} for none.')
    fewest, slowest = REPLICAS, 0.0
    for seed in SEEDS:
        ready, took = Round(spec, seed).play(lines)
        fewest, slowest = min(fewest, ready), max(slowest, took)
    return Report(
        "pass",
        (
            f"{len(SEEDS)} runs: each node was empty when it was rebooted, and took pods again in the end",
            f"never fewer than {fewest} of {REPLICAS} ready; the slowest run took {slowest:.0f} s",
        ),
        "Who drains asks, and the budget answers; so nobody has to count pods, and nobody has to wait by the clock.",
        "What would the same budget have done if a node had lost its power instead?",
    )


class Round:
    """One cluster, and what happens to it."""

    def __init__(self, spec: dict[str, Any], seed: int):
        params = changed(Params(), {"all_controllers": True})
        self.cluster, self.seed = Cluster.single(workers=3, seed=seed, params=params), seed
        objects = [deployment(REPLICAS, hook=2), SERVICE, *([budget(**spec)] if spec else [])]
        try:
            self.cluster.apply(manifests(*objects))
        except ValueError as error:
            raise NotYet(f"The API server does not take this budget: {error}") from None
        self.cluster.run(f"{BEGINS}s")
        self.rebooted: list[str] = []

    def play(self, lines: list[str]) -> tuple[int, float]:
        """(fewest ready, seconds that it took). Raises NotYet."""
        for line in lines:
            done = kubectlline.kubectl(self.cluster, line, time=f"{PATIENCE}s")
            if done.status != 0:
                raise NotYet(
                    f"kubectl {line} does not end well (seed {self.seed}).",
                    *(one for one in str(done).splitlines()[-2:]),
                    next="A budget that can never be met, or nodes that may take no pods, hold a drain for ever.",
                )
            for node in WORKERS:
                if f"node/{node} drained" in done.out:
                    self._reboot(node)
        took = self.cluster.sim.now / SECOND - BEGINS
        self.cluster.run("10s")
        return self._judged(), took

    def _reboot(self, node: str) -> None:
        strip = strip_of(self.cluster.trace, NAME)
        left = [
            one for one in strip.pods.values() if one.node == node and one.at(self.cluster.sim.now) not in ("", "gone")
        ]
        if left:
            raise NotYet(f"{node} is rebooted with {len(left)} pods of the shop on it (seed {self.seed}).")
        self.rebooted.append(node)
        self.cluster.hosts[node].power_off()
        self.cluster.run(f"{DOWN}s")
        self.cluster.hosts[node].power_on()
        self.cluster.run(f"{BACK}s")

    def _judged(self) -> int:
        trace = self.cluster.trace
        fewest = tally(trace, BEGINS)[READY]
        if fewest < LEAST:
            raise NotYet(
                f"There is a moment with {fewest} of {REPLICAS} pods ready, and {LEAST} must be (seed {self.seed}).",
                next="A drain evicts all pods of a node as fast as it may. Who could tell it to wait?",
            )
        if self.rebooted != list(WORKERS):
            done = ", ".join(self.rebooted) or "none"
            raise NotYet(f"Drained and rebooted were: {done}; it should be {', '.join(WORKERS)}, in this order.")
        shown = str(kubectlline.kubectl(self.cluster, "get nodes"))
        if "SchedulingDisabled" in shown:
            raise NotYet("In the end a node still takes no pods.", next="Which line takes a cordon back?")
        now = strip_of(trace, NAME).counts(self.cluster.sim.now)[READY]
        if now < REPLICAS:
            raise NotYet(f"Ten seconds after the last line {now} of {REPLICAS} pods are ready (seed {self.seed}).")
        return fewest
