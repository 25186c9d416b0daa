"""Priority: a pod's number comes from its PriorityClass, never from its writer.

Models k/k plugin/pkg/admission/priority Plugin.admitPod.
Simplified: the two classes of the system exist, others cannot be made; there is no default class.
"""

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve_many
from kubemini.apiserver.admission import Attributes

NAME = "Priority"
CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
POLICY = "PreemptLowerPriority"
OWN_WORD = "must not be provided in pod spec; priority admission controller computed"


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A pod with the priority and the preemption policy of its class, or why it may not have its own."""
    pod = asked.obj
    if asked.kind != POD or pod is None or asked.subresource:
        return pod
    if asked.old is not None:
        return _kept(pod, asked.old)
    spec = pod.get("spec") or {}
    called = spec.get("priorityClassName") or ""
    if called and called not in CLASSES:
        return errors.forbidden(POD, asked.name, f"no PriorityClass with name {called} was found")
    priority = CLASSES.get(called, 0)
    for field, what, computed in (
        ("priority", "the integer value of priority", priority),
        ("preemptionPolicy", "the string value of PreemptionPolicy", POLICY),
    ):
        own = spec.get(field)
        if own is not None and own != computed:
            why = f"{what} ({own}) {OWN_WORD} {computed} from the given PriorityClass name"
            return errors.forbidden(POD, asked.name, why)
    return evolve_many(pod, (("spec", "priority"), priority), (("spec", "preemptionPolicy"), POLICY))


def _kept(pod: Obj, old: Obj) -> Obj:
    """An update that leaves them out does not mean to change them."""
    spec, before = pod.get("spec") or {}, old["spec"]
    missing = [
        (("spec", field), before[field])
        for field in ("priority", "preemptionPolicy")
        if spec.get(field) is None and before.get(field) is not None
    ]
    return evolve_many(pod, *missing) if missing else pod
