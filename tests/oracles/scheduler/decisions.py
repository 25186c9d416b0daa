"""One decision for one pod: what each plugin says of each node, and what comes of it."""

import re

from kubemini.api.objects import evolve, freeze, get
from kubemini.scheduler.decide.decision import Decision
from kubemini.scheduler.decide.framework import Fitting, decide, score
from kubemini.scheduler.decide.plugin import PluginError
from tests.oracles.scheduler.stage import SETTLE, Stage, condition_of, told

UID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DECIDED, AFTERWARDS = 0.6, 1.0  # seconds until a decision is seen, until a pod has taken its victims' room
LOOK = 0.002  # seconds between two looks at a pod that waits for its decision


def played(case):
    """What the comparer wants to know of a case."""
    stage = Stage()
    lay(stage, case)
    pod = case["pod"]
    got = {} if pod["spec"].get("nodeName") or pod["spec"].get("schedulerName") else asked(stage, pod)
    stage.create(pod)
    first = decided(stage, pod)
    if "steps" in case["expect"]:
        return gated(stage, pod)
    return got | seen(stage, case, got, first)


def decided(stage, pod):
    """The pod as it is right after its first decision, if that comes in time; then the rest of the time passes."""
    meta, first, looks = pod["metadata"], None, round(DECIDED / LOOK)
    while looks and not (first and condition_of(first)):
        stage.sleep(LOOK)
        first, looks = stage.pod(meta["name"], meta.get("namespace", "default")), looks - 1
    stage.sleep(looks * LOOK)
    return first


def lay(stage, case):
    """Make the cluster of a case."""
    for name, labels in (case.get("namespaces") or {}).items():
        stage.namespace(name, labels)
    for node in case["nodes"]:
        stage.create(node)
    for obj in case.get("objects") or ():
        stage.create(obj)
    first = case.get("extra", {}).get("pending_first")
    for pod in case["pods"]:
        if first and pod["metadata"]["name"] == first["metadata"]["name"]:
            continue
        if first:  # what is being deleted is so because of that first one
            pod = {**pod, "metadata": {k: v for k, v in pod["metadata"].items() if not k.startswith("deletion")}}
        stage.create(pod)
    stage.sleep(SETTLE)
    if first:
        stage.create(first)
        stage.sleep(DECIDED)


# -- what the plugins say ----------------------------------------------------------------------------------------------
def asked(stage, pod):
    """What the scheduler would say of the pod, right now: nothing is done about it."""
    machine = stage.machine
    stored = evolve(freeze(stage.create(pod, dry=True)), ("metadata", "uid"), "asked")
    if stored["spec"].get("schedulingGates"):
        stored = evolve(stored, ("spec", "schedulingGates"), None)
    cycle = machine.cycle(stored)
    decision = decide(cycle, machine.plugins)
    got = {"chosen": decision.node or None, "filter": verdicts(decision)}
    if decision.prefilter:
        got["prefilter"] = refusal(decision.prefilter)
    if decision.allowed:
        got["prefilter_nodes"] = list(decision.allowed)
    if len(decision.feasible) > 1 and not decision.error:
        scores = {node: {name: list(marks) for name, marks in by.items()} for node, by in decision.scores.items()}
        got |= {"scores": scores, "totals": decision.totals, "top": decision.best()}
    if error := decision.error or scoring_error(cycle, machine, decision):
        got["prescore_error"] = error
    if not decision.node and (preemption := machine.make_room(cycle, decision)):
        got |= room(preemption)
    return got


def refusal(found):
    """A refusal as recordings have it."""
    return {"plugin": found.plugin or None, "code": found.code, "reasons": list(found.reasons)}


def verdicts(decision):
    """Of each node that was asked."""
    return {n: refusal(r) for n, r in decision.refusals.items()} | dict.fromkeys(decision.feasible, "ok")


def scoring_error(cycle, machine, decision):
    """Why scoring would fail where only one node is left, so that nobody scores."""
    there = [info for info in cycle.nodes if info.name in decision.feasible]
    try:
        if there:
            score(cycle, machine.plugins, Fitting.of(there), Decision(len(cycle.nodes)))
    except PluginError as error:
        return str(error)
    return ""


def room(preemption):
    """Who would have to go, and where nobody's going would help."""
    if preemption.ineligible:
        return {"preemption_eligible": False}
    candidates = {
        one.node: {"victims": [name_of(pod) for pod in one.victims], "pdb_violations": one.violations}
        for one in preemption.candidates
    }
    found = {"preemption_candidates": candidates}
    found["preemption_not_helped"] = {node: refusal(r) for node, r in preemption.not_helped.items()}
    return {part: value for part, value in found.items() if value}


def name_of(pod):
    """A pod as recordings call it."""
    return f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata']['name']}"


# -- what comes of it --------------------------------------------------------------------------------------------------
def seen(stage, case, asked, first):
    """Condition, Event, nomination, victims and volumes, as the API has them; *first*: the pod after one decision."""
    meta = case["pod"]["metadata"]
    name, space = meta["name"], meta.get("namespace", "default")
    pod = stage.pod(name, space)
    if get(first, "status", "nominatedNodeName") and pod["spec"].get("nodeName"):  # its victims were gone at once
        return asked | tried_twice(stage, case, first, pod)
    nominated = get(pod, "status", "nominatedNodeName")
    got = {"condition": condition_of(pod), "nominatedNodeName": nominated}
    node = pod["spec"].get("nodeName")
    got["chosen"] = node or asked.get("chosen")
    if nominated and not node and not condition_of(pod):
        got["waits_for_volumes"] = True
    events = stage.events(name, space)
    if events:
        got["event"] = told(events[-1])
    got |= victims(stage, case, pod)
    return got | volumes(stage, case)


def tried_twice(stage, case, first, pod):
    """What is seen where nobody had to be waited for: the refusal, those who are gone, and where the pod is now."""
    name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
    gone = [one["metadata"] for one in case["pods"]]
    gone = [(one.get("namespace", "default"), one["name"]) for one in gone]
    gone = [(where, who) for where, who in gone if stage.pod(who, where) is None]
    recorded = [event for events in case["expect"].get("victim_events", {}).values() for event in events]
    parts = {part for event in recorded for part in event}  # an action that is missing was not recorded
    return {
        "condition": condition_of(first),
        "nominatedNodeName": first["status"]["nominatedNodeName"],
        "chosen": None,
        "event": told(stage.events(name, space)[0]),
        "victims": {f"{where}/{who}": {"gone": True} for where, who in gone},
        "victim_events": {
            f"{where}/{who}": [
                {part: text for part, text in told(e, UID.findall(e.get("note", ""))).items() if part in parts}
                for e in stage.events(who, where)
            ]
            for where, who in gone
        },
        "bound_after_victims_gone": pod["spec"]["nodeName"],
    }


def victims(stage, case, pod):
    """Those who are told to go for the pod, and where it is when they have gone."""
    found, events = {}, {}
    for victim in case["pods"] if get(pod, "status", "nominatedNodeName") else ():
        name, space = victim["metadata"]["name"], victim["metadata"].get("namespace", "default")
        there = stage.pod(name, space)
        if there and (condition := condition_of(there, "DisruptionTarget")):
            found[name_of(victim)] = {
                "deleting": "deletionTimestamp" in there["metadata"],
                "grace": there["metadata"].get("deletionGracePeriodSeconds"),
                "condition": condition,
                "phase": get(there, "status", "phase"),
            }
            events[name_of(victim)] = [told(e, UID.findall(e.get("note", ""))) for e in stage.events(name, space)]
    if not found:
        return {}
    if "bound_after_victims_gone" not in case["expect"]:
        return {"victims": found, "victim_events": events}
    for name in found:
        space, _, short = name.partition("/")
        stage.ask("DELETE", f"/api/v1/namespaces/{space}/pods/{short}", {"gracePeriodSeconds": 0})
    stage.sleep(AFTERWARDS)
    meta = pod["metadata"]
    node = stage.pod(meta["name"], meta["namespace"])["spec"].get("nodeName")
    return {"victims": found, "victim_events": events, "bound_after_victims_gone": node}


def volumes(stage, case):
    """What has become of claims and volumes."""
    claims, bound = {}, {}
    for obj in case.get("objects") or ():
        if obj["kind"] == "PersistentVolumeClaim":
            meta = obj["metadata"]
            path = f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}"
            there = stage.ask("GET", path)
            selected = get(there, "metadata", "annotations", "volume.kubernetes.io/selected-node")
            claims[meta["name"]] = {
                "phase": there["status"]["phase"],
                **({"selected_node": selected} if selected else {}),
            }
        elif obj["kind"] == "PersistentVolume":
            there = stage.ask("GET", f"/api/v1/persistentvolumes/{obj['metadata']['name']}")
            if claim := get(there, "spec", "claimRef", "name"):
                bound[obj["metadata"]["name"]] = claim
    return {part: value for part, value in (("claims_after", claims), ("volumes_after", bound)) if value}


def gated(stage, pod):
    """A pod whose gates are taken away, one after another."""
    name, steps = pod["metadata"]["name"], []
    gates = [gate["name"] for gate in pod["spec"]["schedulingGates"]]
    path = f"/api/v1/namespaces/default/pods/{name}"
    first = condition_of(stage.pod(name))
    for left in range(len(gates) + 1):
        if left:
            body = {"spec": {"schedulingGates": [{"name": gate} for gate in gates[left:]] or None}}
            stage.ask("PATCH", path, body, "application/merge-patch+json")
            stage.sleep(DECIDED)
        there = stage.pod(name)
        steps.append(
            {
                "gates": [gate["name"] for gate in there["spec"].get("schedulingGates") or ()],
                "condition": [condition_of(there)],
                "node": there["spec"].get("nodeName"),
                "phase": there["status"]["phase"],
            }
        )
    return {"steps": steps, "condition": first, "events": [told(event) for event in stage.events(name)]}
