"""Random stories: a cast of one or two workloads with nodes, a Service or a budget, and what happens to them.

With *kill* the story is about its nodes: two to four in one zone or two, of which some fall silent in the midst of it.

Where chance would decide in the real one (which of several equal pods goes), pods are equal for the judge, too: one
node, or all of them made ready in one move. Moves are drawn from what the cast can suffer (`moves.py`); at the end all
is confirmed and made ready, for the end state.
"""

from tests.oracles.histories.hand import TOPOLOGY
from tests.oracles.histories.noting import NAMESPACE
from tests.real.workloads import casts, moves

MANY = (4, 9)  # moves of a story, at least and at most
QUIET_JOB = 1.6  # s: a Job's controller looks once a second


def story(luck, name, kill=False):
    """A story that follows from *luck*, a random.Random."""
    zones = luck.choice((1, 1, 2))
    nodes = [node(n + 1, luck, zones) for n in range(luck.choice((2, 3, 4) if kill else (1, 1, 2, 3)))]
    cast = [casts.workload(luck, app, kill) for app in ("web", "db")[: luck.choice((1, 1, 1, 2))]]
    made = nodes + [one for actor in cast for one in _entrance(luck, actor)]
    made += [moves.create(casts.shared_budget(luck))] if len(cast) > 1 and luck.random() < 0.5 else []
    life = moves.Life(luck, cast, len(nodes))
    told = life.loss() if kill else [move for _ in range(luck.randint(*MANY)) for move in life.next()]
    end = [move for actor in cast for move in (*moves.confirmed(actor), *moves.made_ready(actor)) * 2]
    kinds = sorted({actor.kind for actor in cast})
    area = "node" if any("silent" in move or "DELETE node" in move["say"] for move in told) else "chance"
    return {
        **{"name": name, "area": area, "about": f"Random: {', '.join(kinds)} on {len(nodes)} nodes."},
        **{"needs": ["api", "controllers"], "rests": sorted(rests(made)), "moves": [*made, *told, *end]},
        **({"quiet": QUIET_JOB} if any(actor.kind in ("Job", "CronJob") for actor in cast) else {}),
    }


def rests(made):
    """The kinds whose controllers are asked whether they rest."""
    kinds = {move["request"]["body"]["kind"] for move in made if "request" in move}
    more = {"Deployment": "ReplicaSet", "CronJob": "Job"}
    return {"ConfigMap", *kinds, *(more[kind] for kind in kinds & more.keys())} - {"CronJob"}


def node(number, luck, zones=1):
    """The move that registers a node, in one of so many *zones*; of one, nobody speaks."""
    labels = {"kubernetes.io/hostname": f"n{number}", "set": NAMESPACE, f"{TOPOLOGY}region": NAMESPACE}
    labels |= {f"{TOPOLOGY}zone": "ab"[number % zones]} if zones > 1 else {}
    labels |= {"disk": "ssd"} if luck.random() < 0.3 else {}
    taints = [{"key": "only", "value": "some", "effect": "NoSchedule"}] if luck.random() < 0.1 else []
    made = {"name": f"n{number}", "labels": labels, "taints": taints, "ready": True}
    return {"say": f"register node n{number} by hand", "node": made}


def _entrance(luck, actor):
    """The workload, before or after what is about it; then some of its pods become ready."""
    about = [moves.create(other) for other in casts.about(luck, actor)]
    made = [moves.create(actor.obj)]
    first = made + about if luck.random() < 0.5 else about + made
    first = [moves.minute(), *first] if actor.kind == "CronJob" else first
    return first + (moves.made_ready(actor) if luck.random() < 0.8 else [])
