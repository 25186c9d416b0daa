"""Recorded requests, one after another: what wakes a pod, what is seen step by step, where many pods go."""

import json

from kubemini.api.objects import evolve, freeze, get
from kubemini.scheduler.decide.framework import decide
from tests.oracles.scheduler.decisions import DECIDED
from tests.oracles.scheduler.stage import Stage, condition_of, told

POD_AFTER, EVENT_AFTER, LOOK_AFTER = 0.15, 0.25, 0.9  # as the recorder did
EVENTS_COME = 7.0  # the longest that an Event's series may lag behind


# -- what wakes a pod --------------------------------------------------------------------------------------------------
def hint(case):
    """One event against one pod that was refused."""
    stage = Stage()
    cluster = case["cluster"]
    for obj in (*cluster["objects"], *cluster["nodes"], *cluster["pods"]):
        stage.create(obj)
    stage.sleep(POD_AFTER)
    stage.create(cluster["pod"])
    name = cluster["pod"]["metadata"]["name"]
    stage.sleep(EVENT_AFTER)
    uid = stage.pod(name)["metadata"]["uid"]
    queue, moved = stage.machine.queue, []
    entry = queue.unschedulable[uid]
    before, tries = condition_of(stage.pod(name)), entry.attempts
    refused_by = list(entry.rejected_by)

    def note(pod, event, where):
        if pod["metadata"]["uid"] == uid and event != "ScheduleAttemptFailure":
            moved.append([event, where])

    queue.moved = note
    for request in case["requests"]:
        stage.request(request)
    stage.sleep(LOOK_AFTER)
    pod = stage.pod(name)
    return {
        "refused_by_all": refused_by,
        "message_before": (before or {}).get("message"),
        "moved": moved,
        "retried": entry.attempts > tries,
        "bound": pod["spec"].get("nodeName") or get(pod, "status", "nominatedNodeName"),
        "condition_after": condition_of(pod),
    }


# -- what is seen after each step --------------------------------------------------------------------------------------
def sequence(case):
    """Several steps, what is seen after each, and all Events."""
    stage = Stage()
    for obj in (*case["objects"], *case["nodes"]):
        stage.create(obj)
    stage.sleep(0.2)
    names = list(dict.fromkeys(name for step in case["steps"] for name in step["see"]))
    steps, uids = [], {}
    for step in case["steps"]:
        for request in step["requests"]:
            answer = stage.request(request)
            if answer.get("kind") == "Pod":
                uids[answer["metadata"]["name"]] = answer["metadata"]["uid"]
        stage.sleep(step["seconds"])
        steps.append({"see": {name: looked(stage.pod(name)) for name in names if name in step["see"]}})
    stage.sleep(EVENTS_COME if "again" in case["name"] else 0)
    events = {name: [noted(e, uids) for e in stage.events(name)] for name in case["events"]}
    got = {"steps": steps, "events": events}
    if "budget_status_after" in case:
        found = stage.ask("GET", "/apis/policy/v1/namespaces/default/poddisruptionbudgets")["items"]
        got["budget_status_after"] = found[0]["status"]
    return got


def looked(pod):
    """A pod as a sequence shows it."""
    if pod is None:
        return "gone"
    kinds = [c["type"] for c in pod["status"].get("conditions") or ()]
    shown = {
        "node": pod["spec"].get("nodeName"),
        "nominatedNodeName": pod["status"].get("nominatedNodeName"),
        "deleting": "deletionTimestamp" in pod["metadata"] or None,
        "gates": [gate["name"] for gate in pod["spec"].get("schedulingGates") or ()] or None,
        "conditions": [condition_of(pod, kind) for kind in kinds] or None,
    }
    return {part: value for part, value in shown.items() if value is not None}


def noted(event, uids):
    """An Event as a sequence shows it."""
    found = told(event, uids.values())
    found.pop("reportingController", None)
    many = get(event, "series", "count")
    return found | ({"series_count": many} if many else {})


# -- many pods, one after another --------------------------------------------------------------------------------------
def placements(case):
    """Where each pod would go, after those before it went where the real one put them."""
    stage = Stage()
    for obj in (*case.get("objects", ()), *case["nodes"]):
        stage.create(obj)
    stage.sleep(0.2)
    return {"steps": [placed(stage, step) for step in case["steps"]]}


def placed(stage, step):
    """One step: a deletion, or a pod that is judged, and then put where the real one put it."""
    path = "/api/v1/namespaces/default/pods"
    if "delete" in step:
        stage.ask("DELETE", f"{path}/{step['delete']}", {"gracePeriodSeconds": 0})
        stage.sleep(0.1)
        return {}
    pod = json.loads(json.dumps(step["pod"]))
    stored = evolve(freeze(stage.create(pod, dry=True)), ("metadata", "uid"), "asked")
    machine = stage.machine
    cycle = machine.cycle(stored)
    decision = decide(cycle, machine.plugins)
    if not decision.node:
        machine.make_room(cycle, decision)
        name = pod["metadata"]["name"]
        stage.create(pod)
        stage.sleep(DECIDED)
        condition = condition_of(stage.pod(name))
        stage.ask("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0})
        stage.sleep(0.1)
        return {"chosen": None, "message": decision.message, "condition": condition}
    pod["spec"]["nodeName"] = step["chosen"] or decision.node
    stage.create(pod)
    stage.sleep(0.1)
    totals = decision.totals if len(decision.feasible) > 1 else {decision.node: None}
    return {"chosen": decision.node, "top": decision.best(), "totals": totals}
