"""On which nodes a DaemonSet runs, and what makes its pods run there.

A pod of a DaemonSet is not placed by the controller: it insists on its node by affinity, and tolerates the taints of a
node's own troubles; the scheduler does the rest.
Models k/k pkg/controller/daemon NodeShouldRunDaemonPod, predicates
Models k/k pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations, ReplaceDaemonSetPodNodeNameNodeAffinity
Models k/k pkg/controller/daemon/util CreatePodTemplate, GetTargetNodeName, IsPodUpdated
"""

from typing import Any

from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, get
from kubemini.api.placement import nodeselection
from kubemini.api.placement.tolerations import untolerated
from kubemini.controllers.decide.podcontrol import new_pod

TROUBLES = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
NO_NETWORK = ("network-unavailable", "NoSchedule")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
WHERE = ("spec", "affinity", "nodeAffinity", REQUIRED)
GENERATION, HASH = "pod-template-generation", "controller-revision-hash"
DEPRECATED = "deprecated.daemonset.template.generation"


def tolerations(spec: Obj) -> list[Any]:
    """Those of a pod's *spec*, and those that every pod of a DaemonSet has."""
    found = list(spec.get("tolerations") or ())
    for name, effect in (*TROUBLES, NO_NETWORK) if spec.get("hostNetwork") else TROUBLES:
        ours = {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
        found = [ours if _same_place(t, ours) else t for t in found] if _has(found, ours) else [*found, ours]
    return found


def _same_place(one: Obj, other: Obj) -> bool:
    """Whether two tolerations speak of the same taint. Models k/api core/v1 Toleration.MatchToleration"""
    fields = ("key", "effect", "operator", "value")
    return all(one.get(field, "") == other.get(field, "") for field in fields)


def _has(found: list[Any], ours: Obj) -> bool:
    return any(_same_place(t, ours) for t in found)


def should_run(daemon: Obj, node: Obj) -> tuple[bool, bool]:
    """(whether *node* should get a pod, whether a pod that runs there may stay)."""
    template = daemon["spec"]["template"]
    named = template["spec"].get("nodeName")
    if (named and named != node["metadata"]["name"]) or not nodeselection.matches(template, node):
        return False, False
    taints, ours = get(node, "spec", "taints") or (), tolerations(template["spec"])
    if untolerated(taints, ours, ("NoSchedule", "NoExecute")) is None:
        return True, True
    return False, untolerated(taints, ours, ("NoExecute",)) is None


def template_generation(daemon: Obj) -> str | None:
    """The number of the template by the old annotation, if it is a number."""
    text = get(daemon, "metadata", "annotations", DEPRECATED)
    return str(int(text)) if text is not None and text.lstrip("-").isdecimal() else None


def pod_for(daemon: Obj, node: str, revision: str) -> Obj:
    """A new pod that insists on *node*."""
    template = daemon["spec"]["template"]
    labels = {**(get(template, "metadata", "labels") or EMPTY)}
    number = template_generation(daemon)
    labels |= {GENERATION: number} if number is not None else {}
    labels |= {HASH: revision} if revision else {}
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    made = evolve_many(
        template,
        (("metadata", "labels"), labels),
        (("spec", "tolerations"), tolerations(template["spec"])),
        ((*WHERE, "nodeSelectorTerms"), [here]),
    )
    return new_pod(evolve(daemon, ("spec", "template"), made))


def target(pod: Obj) -> str | None:
    """The node of a pod, or the one that it insists on; None if it names none, or several."""
    if get(pod, "spec", "nodeName"):
        return str(pod["spec"]["nodeName"])
    for term in get(pod, *WHERE, "nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In":
                return field["values"][0] if len(field["values"]) == 1 else None
    return None


def is_updated(daemon: Obj, pod: Obj, revision: str) -> bool:
    """Whether *pod* is of the template of now."""
    labels, number = pod["metadata"].get("labels") or EMPTY, template_generation(daemon)
    by_number = number is not None and labels.get(GENERATION) == number
    return by_number or (bool(revision) and labels.get(HASH) == revision)
