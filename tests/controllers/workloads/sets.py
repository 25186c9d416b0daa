"""A StatefulSet, its pods and its claims as values, and what the controller does about them."""

from kubemini.api.objects import evolve, evolve_many, freeze, thaw
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.workloads import revisions
from kubemini.controllers.decide.workloads.statefulset import identity
from kubemini.controllers.decide.workloads.statefulset.controller import decide
from tests.controllers.workloads.talking import facts_of, talk


def a_set(replicas=3, image="app:1", **spec):
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": "default", "uid": "set", "generation": 1},
            "spec": {
                "replicas": replicas,
                "serviceName": "db",
                "selector": {"matchLabels": {"app": "db"}},
                "template": template,
                **spec,
            },
        }
    )


def with_claims(scaled="Retain", deleted="Retain"):
    """The parts of a spec that give each pod a claim."""
    template = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    kept = {"whenScaled": scaled, "whenDeleted": deleted}
    return {"volumeClaimTemplates": [template], "persistentVolumeClaimRetentionPolicy": kept}


def a_revision(stateful, number=1):
    return revisions.snapshot(stateful, number, 0)


def a_member(stateful, ordinal, revision=None, ready=True, phase="Running", since=0, marked=False, uid=""):
    """A pod of the set as it runs."""
    revision = revision or a_revision(stateful)
    pod = thaw(identity.new_pod(stateful, ordinal, revision, revision))
    pod["metadata"]["uid"] = uid or f"uid of {pod['metadata']['name']}"
    if marked:
        pod["metadata"]["deletionTimestamp"] = timestamp(0)
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": timestamp(since)}
    return freeze({**pod, "status": {"phase": phase, "conditions": [condition]}})


def a_claim(stateful, ordinal, *owners):
    """The claim of one pod, with references to its owners."""
    claim = next(iter(identity.claims(stateful, a_member(stateful, ordinal))))
    return evolve(claim, ("metadata", "ownerReferences"), list(owners)) if owners else claim


def at(stateful, current, update=None, **status):
    """The set as its status names the revisions."""
    names = [revision["metadata"]["name"] for revision in (current, update or current)]
    said = {"currentRevision": names[0], "updateRevision": names[1], **status}
    return evolve_many(stateful, (("status",), said))


def look(stateful, *objects, answers=(), now=0, known=()):
    """(steps, end) of one look at the set; *known*: its ControllerRevisions, if not just the one of now."""
    known = known or (a_revision(stateful),)
    return talk(decide(stateful, facts_of(*known, *objects), True, now), answers)
