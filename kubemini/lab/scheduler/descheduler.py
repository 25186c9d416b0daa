"""scheduler.descheduler: which pods to evict, after a node has come back, so that fewer of one app die together.

100 clusters in which nodes were away: their pods are elsewhere. Whoever is evicted gets a successor, for which the real
plugins find a node. Nobody may be evicted whom a budget protects.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from kubemini.api.objects import Obj
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.scheduler.shelves import HOSTNAME, Shelf, a_node, a_pod
from kubemini.ranges import shown

CLUSTERS = 100


class Pod(NamedTuple):
    """A pod as the learner sees it."""

    name: str
    app: str
    node: str


class Case:
    """One cluster by its *number*: *pods* on *nodes*, *budgets* by app, and how many evictions are allowed."""

    def __init__(self, number: int):
        dice = Random(f"descheduler {number}")
        self.nodes = [f"node-{n}" for n in range(1, dice.randint(3, 6) + 1)]
        away = dice.randint(1, len(self.nodes) - 2)
        here = self.nodes[away:]
        self.pods: list[Pod] = []
        self.budgets: dict[str, int] = {}
        for app in ("shop", "cart", "mail", "ads")[: dice.randint(2, 4)]:
            replicas = dice.randint(2, 8)
            self.pods += [Pod(f"{app}-{n}", app, here[n % len(here)]) for n in range(replicas)]
            self.budgets[app] = dice.choice((0, 1, 1, 2, 3))
        dice.shuffle(self.pods)
        self.most = dice.randint(1, 5)

    def shelf(self) -> Shelf:
        """The cluster as it is found."""
        made = Shelf([a_node(name, "a", 16) for name in self.nodes])
        for pod in self.pods:
            made.put(_pod(pod.name, pod.app), pod.node)
        return made

    def after(self, evicted: list[str]) -> Shelf:
        """The cluster when these are gone, and their successors have a node."""
        shelf, apps = self.shelf(), {pod.name: pod.app for pod in self.pods}
        for name in evicted:
            shelf.take(name)
        for name in evicted:
            shelf.place(_pod(f"{name}-new", apps[name]))
        return shelf

    def together(self, shelf: Shelf) -> int:
        """How many pairs of one app's pods stand on one node, and die together."""
        counts = (n for app in self.budgets for n in shelf.counts(app).values())
        return sum(n * (n - 1) // 2 for n in counts)

    def reference(self) -> list[str]:
        """The best that can be done: each time the pod that has the most company, where another node has the least."""
        counts = {app: Counter(dict.fromkeys(self.nodes, 0)) for app in self.budgets}
        left, free = dict(self.budgets), list(self.pods)
        chosen: list[str] = []
        for pod in self.pods:
            counts[pod.app][pod.node] += 1
        while len(chosen) < self.most:
            gain, pod = max(((_gain(counts[one.app], one.node) if left[one.app] else 0), one) for one in free)
            if gain <= 0:
                break
            counts[pod.app][pod.node] -= 1
            counts[pod.app][min(counts[pod.app], key=lambda node: counts[pod.app][node])] += 1
            left[pod.app] -= 1
            free.remove(pod)
            chosen.append(pod.name)
        return chosen


def _gain(counts: Mapping[str, int], node: str) -> int:
    """How many pairs fewer if one goes from *node* to where the fewest are."""
    return counts[node] - 1 - min(counts.values())


def _pod(name: str, app: str) -> Obj:
    same = {"matchLabels": {"app": app}}
    spread = {"maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": same}
    return a_pod(name, app, "100m", topologySpreadConstraints=[spread])


@exercise("scheduler.descheduler")
def check_descheduler(answer: Any) -> Report:
    """*answer*: ``deschedule(pods, nodes, budgets, most)`` → names of pods to evict."""
    before = after = evictions = 0
    for number in range(CLUSTERS):
        case = Case(number)
        found = ask(answer, list(case.pods), list(case.nodes), dict(case.budgets), case.most)
        evicted = _allowed(case, number, found)
        had, has = case.together(case.shelf()), case.together(case.after(evicted))
        best = case.together(case.after(case.reference()))
        if has > best:
            raise NotYet(
                f"In cluster {number} {has} pairs of one app's pods still die together; {best} would be possible.",
                f"before: {had} pairs; you evicted {', '.join(evicted) or 'nobody'}; {case.most} were allowed",
                *_drawn(case),
                next="Evict from where an app has most pods, as long as some node has at least two fewer of it; after"
                " each choice count anew.",
            )
        if len(evicted) > len(case.reference()):
            raise NotYet(
                f"In cluster {number} you evict {len(evicted)} pods where {len(case.reference())} do as much good.",
                next="An eviction that makes nothing better is an interruption for nothing.",
            )
        before, after, evictions = before + had, after + has, evictions + len(evicted)
    return Report(
        "pass",
        (
            f"{CLUSTERS} clusters: of {before} pairs that would die together {after} are left",
            f"{evictions} pods were evicted, none against a budget",
        ),
        "The scheduler decides once. To have it decide anew, end a pod, within its budget.",
        "When would you rather leave them alone?",
    )


def _allowed(case: Case, number: int, found: Any) -> list[str]:
    """The names, if all of them may be evicted."""
    names = {pod.name: pod.app for pod in case.pods}
    if not isinstance(found, list | tuple | set) or not all(isinstance(one, str) for one in found):
        raise NotYet(f"Return a list of names of pods, such as ['shop-1']; yours is {shown(found)}.")
    evicted = sorted(found) if isinstance(found, set) else list(found)
    strangers = [one for one in evicted if one not in names]
    if strangers or len(set(evicted)) < len(evicted):
        raise NotYet(
            f"In cluster {number} you evict {shown((strangers or evicted)[0])}: each pod once, of those there are."
        )
    if len(evicted) > case.most:
        raise NotYet(f"In cluster {number} you evict {len(evicted)} pods, and {case.most} are allowed.")
    for app, many in Counter(names[one] for one in evicted).items():
        if many > case.budgets[app]:
            raise NotYet(
                f"In cluster {number} you evict {many} pods of {app}; its budget lets {case.budgets[app]} go.",
                next="budgets[app] is how many of that app may be away at once: the API server would answer 429.",
            )
    return evicted


def _drawn(case: Case) -> tuple[str, ...]:
    shelf = case.shelf()
    return tuple(
        f"{app} (budget {budget}): {', '.join(f'{node} {n}' for node, n in sorted(shelf.counts(app).items()))}"
        for app, budget in case.budgets.items()
    )
