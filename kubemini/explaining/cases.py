"""The stories of the scheduler's table, each a few deeds on a small cluster; and what a reader makes of them.

`answer` plays a story and a reader's deeds after it, always from the beginning, so that equal questions get equal
answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubemini.explaining.stage import CLASSES, DEEDS, RULES, TAINTS, Stage
from kubemini.ranges import shown

Deed = tuple[str, ...]
MOST_DEEDS = 12


@dataclass(frozen=True, slots=True)
class Case:
    """A story: *deeds* on a cluster of *nodes* and *hollow* ones, and the *pod* that is looked at."""

    name: str
    title: str
    lesson: str
    deeds: tuple[Deed, ...]
    pod: str
    nodes: int = 5
    hollow: int = 0
    look: str = ""  # the node that is looked at first; "": the chosen one
    view: int = -2  # which of the views: the last try stands before "now"


def _filled(nodes: int, priority: str = "") -> tuple[Deed, ...]:
    return tuple(("add", f"batch-{n}", "3", "1Gi", priority) for n in range(1, nodes + 1))


CASES = (
    Case(
        "scores",
        "Who is best?",
        "Nobody knows best. Each plugin gives 0 to 100, its weight says how much that counts, and the sum decides.",
        (
            ("taint", "worker-1", "PreferNoSchedule"),
            ("add", "db-1", "2500m", "1Gi", "", "none"),
            ("add", "cache-1", "100m", "5Gi", "", "none"),
            ("add", "web-1", "1", "1Gi", "", "zone a"),
            ("scale", "shop", "3"),
            ("add", "log-1", "250m", "256Mi"),
            ("add", "api-1", "1", "512Mi", "", "none"),
        ),
        "api-1",
    ),
    Case(
        "ties",
        "All are equal",
        "Five equal totals. No dice: of equals the search order decides, and it is the same each time.",
        (("add", "api-1", "500m", "256Mi", "", "none"),),
        "api-1",
    ),
    Case(
        "idle",
        "Idle, and full",
        "The five pods do nothing at all. They have asked for 3 CPUs each, and what is asked for is what counts.",
        (*_filled(5), ("add", "report-1", "2", "256Mi", "", "none")),
        "report-1",
        look="worker-2",
    ),
    Case(
        "reasons",
        "One is left",
        "Four nodes, four reasons. In a search the first plugin to say no ends it; here all are asked.",
        (
            ("cordon", "worker-2"),
            ("add", "api-1", "500m", "256Mi", "", "none"),
            ("cordon", "worker-1"),
            ("uncordon", "worker-2"),
            ("taint", "worker-2", "NoSchedule"),
            ("cordon", "worker-4"),
            ("cordon", "worker-5"),
            ("add", "batch-1", "3500m", "1Gi", "", "none"),
            ("uncordon", "worker-4"),
            ("uncordon", "worker-5"),
            ("crash", "worker-5"),
            ("add", "api-2", "1", "256Mi", "", "one a node"),
        ),
        "api-2",
        look="worker-3",
    ),
    Case(
        "vip",
        "A higher priority",
        "It fits nowhere, so somebody of lower priority must go: first the node with the least harm is found.",
        (
            *_filled(3, "low"),
            ("add", "batch-4", "3", "1Gi"),
            ("add", "batch-5", "3", "1Gi"),
            ("add", "vip-1", "2", "256Mi", "high", "none"),
        ),
        "vip-1",
        look="worker-5",
        view=0,
    ),
    Case(
        "stays",
        "A better node comes",
        "worker-1 was best when it was asked. Now another one is; but nobody asks again for a pod that has a node.",
        (
            ("cordon", "worker-3"),
            ("add", "batch-1", "2", "1Gi", "", "zone a"),
            ("add", "batch-2", "2", "1Gi"),
            ("add", "batch-3", "2", "1Gi"),
            ("add", "batch-4", "2", "1Gi", "", "zone a"),
            ("add", "api-1", "1", "512Mi", "", "none"),
            ("uncordon", "worker-3"),
        ),
        "api-1",
        view=-1,
    ),
    Case(
        "many",
        "120 nodes",
        "Of 100 nodes and more not all are asked. The next search begins where this one ended.",
        (
            ("add", "api-1", "500m", "256Mi", "", "none"),
            ("add", "api-2", "500m", "256Mi", "", "none"),
            ("add", "api-3", "500m", "256Mi", "", "none"),
        ),
        "api-3",
        nodes=0,
        hollow=120,
    ),
)


def named(name: Any) -> Case:
    """The story of that name. Raises ValueError."""
    found = next((case for case in CASES if case.name == name), None)
    if found is None:
        raise ValueError(f"the story {shown(name)}: give one of {', '.join(case.name for case in CASES)}")
    return found


def played(case: Case, deeds: tuple[Deed, ...] = (), pod: str = "") -> dict[str, Any]:
    """The table of *pod* after a story and so many *deeds* more. Raises ValueError."""
    stage = Stage(case.nodes, case.hollow)
    for deed in (*case.deeds, *deeds):
        stage.do(*deed)
    names = stage.pods()
    if pod and pod not in names:
        raise ValueError(f"there is no pod {shown(pod)}; there is: {', '.join(names)}")
    looked = pod or next((deed[1] for deed in reversed(deeds) if deed[0] == "add"), case.pod)
    return stage.table(looked if looked in names else names[0]) | {"given": len(case.deeds)}


def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader asks: {case, deeds: [[name, words…], …], pod}. Raises ValueError: one sentence."""
    case = named(asked.get("case"))
    deeds, pod = asked.get("deeds") or [], asked.get("pod") or ""
    fits = isinstance(deeds, list | tuple) and all(
        isinstance(deed, list | tuple) and deed and all(isinstance(word, str) for word in deed) for deed in deeds
    )
    if not fits or not isinstance(pod, str):
        raise ValueError(f'deeds: expected lists such as ["cordon", "worker-2"], got {shown(deeds)}')
    if len(deeds) > MOST_DEEDS:
        raise ValueError(f"{MOST_DEEDS} deeds are enough for one story: undo some, or begin again")
    return played(case, tuple(tuple(deed) for deed in deeds), pod)


def recorded(names: Sequence[str] = ()) -> dict[str, Any]:
    """These stories, or all, as the widget takes them, and what may be done: {header, cases, deeds, taints, …}."""
    rows = [
        {name: value for name, value in asdict(case).items() if name not in ("deeds", "nodes", "hollow")}
        | {"state": played(case)}
        for case in map(named, names or [case.name for case in CASES])
    ]
    choices = {"deeds": list(DEEDS), "taints": TAINTS, "classes": list(CLASSES), "rules": list(RULES)}
    return {"header": {"scenario": "placement", "seed": 0}, "cases": rows, **choices}


def told(run: Mapping[str, Any]) -> str:
    """The recording as text: each story, and the table as ``kubemini explain`` prints it."""
    parts = []
    for case in run["cases"]:
        views = case["state"]["views"]
        parts.append(f"{case['title']}: {case['lesson']}\n{views[max(case['view'], -len(views))]['text']}")
    return "\n\n".join(parts)
