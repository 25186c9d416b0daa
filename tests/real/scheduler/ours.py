"""What our scheduler says of a scene, in the judge's form; nothing but the scheduler is there."""

from kubemini.api.objects import freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide.decision import Decision
from kubemini.scheduler.decide.framework import Fitting, decide, score
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.machine import Machine
from kubemini.sim.units import MINUTE, SECOND

KINDS = {"namespaces": "Namespace", "services": "Service", "sets": "ReplicaSet", "budgets": "PodDisruptionBudget"}
KINDS |= {"volumes": "PersistentVolume", "claims": "PersistentVolumeClaim"}
KINDS |= {"classes": "StorageClass", "drivers": "CSINode"}


def decided(scene):
    """{prefilter, filter, scores, totals, message, nominated}."""
    objects = {kind: {_key(one): freeze(one) for one in scene[part]} for part, kind in KINDS.items()}
    machine = Machine(plugins.profile(), (SECOND, 10 * SECOND), 5 * MINUTE, Listers(lambda kind: objects.get(kind, {})))
    for node in scene["nodes"]:
        machine.node_changed(None, freeze(node), 0)
    objects["Pod"] = {_key(pod): freeze(pod) for pod in (*scene["pods"], scene["pod"])}
    for pod in scene["pods"]:
        machine.pod_changed(None, objects["Pod"][_key(pod)], 0)
    cycle = machine.cycle(objects["Pod"][_key(scene["pod"])])
    decision = decide(cycle, machine.plugins)
    found = dict.fromkeys(("prefilter", "scores", "totals", "message"), None) | {"nominated": {}}
    found["prefilter"] = _refusal(decision.prefilter) if decision.prefilter else None
    found["filter"] = {node: _refusal(one) for node, one in decision.refusals.items()}
    found["filter"] |= dict.fromkeys(decision.feasible)
    if decision.node:
        return found | _scores(cycle, machine, decision)
    room = machine.make_room(cycle, decision)
    chosen = {room.chosen.node: decision.message} if room and room.chosen else {}
    return found | {"message": decision.message, "nominated": chosen}


def _scores(cycle, machine, decision):
    """What the plugins give; also to a single node, which nobody scores otherwise."""
    if len(decision.feasible) == 1:
        there = [info for info in cycle.nodes if info.name == decision.node]
        decision = Decision(len(cycle.nodes))
        score(cycle, machine.plugins, Fitting.of(there), decision)
    scores = {
        node: {name: [raw, weighted] for name, (raw, _, weighted) in by.items()} for node, by in decision.scores.items()
    }
    return {"scores": scores, "totals": decision.totals}


def _key(obj):
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _refusal(found):
    return {"plugin": found.plugin, "code": found.code, "reasons": list(found.reasons)}
