"""scheduler.zones: a plugin that scores, so that no zone takes more than its share of an app with it.

100 clusters, each with a few pods already. The plugin is asked beside all those of the default profile.
"""

from math import ceil
from random import Random
from typing import Any

from kubemini.api.objects import Obj
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.scheduler.shelves import ZONE, Shelf, a_node, a_pod
from kubemini.ranges import shown
from kubemini.scheduler.decide.plugin import Plugin

CLUSTERS = 100
CPU = 500  # m, of one replica
BEST = 100  # the highest score that a plugin may give


class Case:
    """One cluster by its *number*, and how many replicas will come."""

    def __init__(self, number: int):
        dice = Random(f"zones {number}")
        self.zones = "abcd"[: dice.randint(2, 4)]
        self.replicas = dice.randint(2, 10)
        share = ceil(self.replicas / len(self.zones))
        self.nodes: list[Obj] = []
        self.there: list[tuple[Obj, str]] = []
        for zone in self.zones:
            cpu = -(-share * CPU // 1000) + dice.randint(2, 5)
            names = [f"{zone}{n}" for n in range(1, dice.randint(2, 4) + 1)]
            dice.shuffle(names)
            self.nodes += [a_node(name, zone, cpu) for name in sorted(names)]
            used = a_pod(f"old-{names[0]}", "old", f"{dice.randint(1000, 1600)}m")
            self.there.append((used, names[0]))  # one node in use, on which the zone's share fits; the others are empty
        dice.shuffle(self.nodes)

    def shelf(self, plugin: Plugin) -> Shelf:
        """The cluster as the plugin finds it."""
        made = Shelf(self.nodes, [plugin])
        for pod, node in self.there:
            made.put(pod, node)
        return made


@exercise("scheduler.zones")
def check_zones(answer: Any) -> Report:
    """*answer*: a `Plugin` with a score and a weight."""
    if not isinstance(answer, Plugin) or answer.score is None:
        raise NotYet(
            f'Give check() the plugin, such as Plugin("ZoneSafe", 1000, score=score, weight=1); got {shown(answer)}.'
        )
    worst = opened = placed = 0
    for number in range(CLUSTERS):
        case = Case(number)
        shelf = case.shelf(_asked(answer))
        for n in range(case.replicas):
            _fair(shelf.place(a_pod(f"web-{n}", "web", f"{CPU}m")), answer)
        most = max(shelf.counts("web", ZONE).values())
        bound = ceil(case.replicas / len(case.zones))
        if most > bound:
            raise NotYet(
                f"In cluster {number} one zone holds {most} of {case.replicas} pods; with {len(case.zones)} zones"
                f" {bound} would do.",
                *_drawn(shelf, case),
                next="Count the pods of the same app in the node's zone: the fewer, the higher the score; and how much"
                " must your plugin weigh, so that nobody outvotes it?",
            )
        fresh = sum(bool(info.pods) and all("web" in uid for uid in info.pods) for info in shelf.nodes)
        if fresh:
            raise NotYet(
                f"In cluster {number} no zone holds too much, but {fresh} empty nodes were taken into use.",
                *_drawn(shelf, case),
                next="Among nodes of one zone prefer the fuller one: info.requested and info.allocatable tell.",
            )
        worst, opened, placed = max(worst, most), opened + fresh, placed + case.replicas
    return Report(
        "pass",
        (
            f"{CLUSTERS} clusters, {placed} pods: whichever zone fails, its share is lost and no more, {worst} at most",
            f"{opened} empty nodes were used; those that ran something had room enough",
        ),
        "A score is an opinion; its weight decides how much the others' opinions still count.",
        "Your pods stay where they are when a fourth zone opens. Who would move them?",
    )


def _asked(plugin: Plugin) -> Plugin:
    """The plugin, its score asked within a budget."""
    give = plugin.score

    def score(cycle: Any, info: Any) -> int:
        value = ask(give, cycle, info)
        if not isinstance(value, int) or isinstance(value, bool):
            raise NotYet(f"score gave {shown(value)}: a score is a whole number.")
        return value

    return Plugin(
        plugin.name,
        plugin.place,
        plugin.filter,
        score,
        plugin.weight,
        plugin.prefilter,
        prescore=plugin.prescore,
        normalize=plugin.normalize,
    )


def _fair(attempt: Any, plugin: Plugin) -> None:
    """Refuse scores that the real scheduler would refuse."""
    decision = attempt.decision
    if not decision.node:
        raise NotYet(f"A pod found no node: {decision.message}", next="Your plugin should score, and refuse nobody.")
    wrong = [marks[plugin.name][1] for marks in decision.scores.values() if plugin.name in marks]
    wrong = [share for share in wrong if not 0 <= share <= BEST]
    if wrong:
        raise NotYet(
            f"Your plugin gave {wrong[0]}: after `normalize` a score is from 0 to {BEST}, else the real cycle fails.",
            next=f"Begin with {BEST} and take something off for each pod, but never below 0.",
        )


def _drawn(shelf: Shelf, case: Case) -> tuple[str, ...]:
    lines = []
    for zone in case.zones:
        held = [
            f"{info.name}: {sum('web' in uid for uid in info.pods)}"
            for info in shelf.nodes
            if info.labels[ZONE] == zone
        ]
        lines.append(f"zone {zone}: {', '.join(sorted(held))}")
    return tuple(lines)
