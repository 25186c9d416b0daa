"""A Job and its pods as values, and what the controller does about them."""

from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create
from kubemini.controllers.decide.workloads.job import pods as of_pods
from kubemini.controllers.decide.workloads.job.controller import decide
from kubemini.sim.units import MINUTE
from tests.controllers.workloads.talking import facts_of, of_type, talk

NOW = 60 * MINUTE


def a_job(completions=1, parallelism=1, status=None, restart="Never", **spec):
    template = {
        "metadata": {"labels": {"job": "task"}},
        "spec": {"restartPolicy": restart, "containers": [{"name": "c"}]},
    }
    full = {"parallelism": parallelism, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
    full |= {"podReplacementPolicy": "TerminatingOrFailed", "template": template}
    full |= {"selector": {"matchLabels": {"job": "task"}}, **spec}
    full |= {"completions": completions} if completions is not None else {}
    meta = {"name": "task", "namespace": "ns", "uid": "job", "generation": 1}
    begun = {"startTime": timestamp(NOW), "uncountedTerminatedPods": {}} if status is None else status
    return freeze({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": full, "status": begun})


def indexed(completions, parallelism=None, **spec):
    return a_job(completions, parallelism or completions, completionMode="Indexed", **spec)


def a_pod(
    job, name="p", phase="Running", ready=True, index=None, ended=NOW, code=0, marked=False, tracked=True, **more
):
    """A pod of the Job; of one that has ended, *ended* is when. *more*: failures, ignored, restarts, conditions."""
    counts = (more.get("failures", 0), more.get("ignored", 0)) if "failures" in more else None
    pod = of_pods.made(job, index, counts)
    over = phase in ("Failed", "Succeeded")
    state = {"terminated": {"exitCode": code, "finishedAt": timestamp(ended)}} if over else {"running": {}}
    conditions = [{"type": "Ready", "status": str(ready and not over), "lastTransitionTime": timestamp(ended)}]
    container = {"name": "c", "state": state, "restartCount": more.get("restarts", 0)}
    edits = [
        (("metadata", "name"), name),
        (("metadata", "uid"), name),
        (("metadata", "creationTimestamp"), timestamp(0)),
        (("spec", "nodeName"), "n1"),
        (("status",), {"phase": phase, "conditions": [*conditions, *more.get("conditions", ())]}),
        (("status", "containerStatuses"), [container]),
    ]
    edits += [(("metadata", "deletionTimestamp"), timestamp(ended))] if marked else []
    edits += [] if tracked else [(("metadata", "finalizers"), [])]
    return evolve_many(pod, *edits)


def look(job, *pods, at=NOW, caught_up=True, memory=None, answers=()):
    return talk(decide(job, facts_of(*pods, memory=memory), caught_up, at), answers)


def after(job, steps):
    """The Job as the last status that was written leaves it."""
    said = [step.obj["status"] for step in steps if type(step).__name__ == "UpdateStatus"]
    return evolve(job, ("status",), said[-1]) if said else job


def made(steps):
    """The names of the pods that are made, as far as they are given."""
    return [pod["metadata"]["generateName"] for pod in of_type(steps, Create, "Pod")]


def conditions(status):
    """(type, status, reason) of the conditions."""
    return [(c["type"], c["status"], c["reason"]) for c in status.get("conditions", ())]
