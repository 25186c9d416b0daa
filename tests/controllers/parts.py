"""Small objects, and short words for what controllers decide."""

import json
from dataclasses import replace
from pathlib import Path

from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Plan, Tell, owner_reference
from kubemini.controllers.decide.dialogue import Answer, Read, Refused, Together

DATA = Path(__file__).parent.parent / "oracles/kubernetes"


def vectors(name, kind=None):
    rows = json.loads((DATA / f"{name}.json").read_text())["vectors"]
    return [row for row in rows if kind is None or row["kind"] == kind]


def kinds_of(plan):
    return [type(step).__name__ for step in plan.actions]


def granted(step):
    """An API server that does what it is asked; who makes something gets a name for it."""
    if isinstance(step, Create) and "name" not in step.obj["metadata"]:
        return Answer(evolve(step.obj, ("metadata", "name"), step.obj["metadata"]["generateName"] + "x"))
    return Answer(None if isinstance(step, Tell | Read) else step.obj)


def play(dialogue, answer=granted):
    """All that a decider asks for, as a plan; *answer* says what comes of each step."""
    steps, heard = [], None
    while True:
        try:
            step = dialogue.send(heard)
        except StopIteration as end:
            return Plan(tuple(steps), getattr(end.value, "again_at", None))
        if isinstance(step, Together):
            heard = Answer(parts=tuple(played(part, answer, steps) for part in step.parts))
        else:
            steps.append(step)
            heard = answer(step)


def played(part, answer, steps):
    """The answer of one of several parts that go on at once, here one after the other; its steps go to *steps*."""
    try:
        step = next(part)
        while True:
            steps.append(step)
            step = part.send(answer(step))
    except StopIteration as end:
        return Answer(end.value)
    except Refused as refused:
        return Answer(error=refused.error)


def deeds(plan):
    """What of *plan* changes something, without what is told and read."""
    return replace(plan, actions=tuple(step for step in plan.actions if not isinstance(step, Tell | Read)))


def a_replicaset(replicas=3, **spec):
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web-1", "namespace": "default", "uid": "rs", "generation": 1},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
                **spec,
            },
        }
    )


def a_pod(name, owner=None, phase="Running", node="n1", ready=True, since=0, born=0, restarts=0, **meta):
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": timestamp(since)}]
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "labels": {"app": "web"},
                "creationTimestamp": timestamp(born),
                "ownerReferences": [owner_reference(owner)] if owner else [],
                **meta,
            },
            "spec": {"containers": [], **({"nodeName": node} if node else {})},
            "status": {
                "phase": phase,
                "conditions": conditions,
                "podIP": "10.0.0.1",
                "containerStatuses": [{"restartCount": restarts}],
            },
        }
    )


def a_node(name="n1", ready="True", zone="a", taints=(), **spec):
    conditions = [{"type": "Ready", "status": ready, "reason": "KubeletReady", "lastTransitionTime": timestamp(0)}]
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "uid": name, "labels": {"topology.kubernetes.io/zone": zone}},
            "spec": {"taints": list(taints), **spec},
            "status": {"conditions": conditions},
        }
    )
