"""Priority: a pod's number comes from its PriorityClass, never from its writer; one class at most is the default.

Models k/k plugin/pkg/admission/priority Plugin.admitPod Plugin.validatePriorityClass.
Simplified: the two classes of the system are always known.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD, Kind
from kubemini.api.objects import Obj, evolve_many
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import CREATE, DELETE, Attributes

NAME = "Priority"
CLASS = KNOWN["scheduling.k8s.io/v1", "PriorityClass"]
CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
POLICY = "PreemptLowerPriority"
OWN_WORD = "must not be provided in pod spec; priority admission controller computed"


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The classes, for a new pod and for a class."""
    pod = asked.kind == POD and asked.operation == CREATE and not asked.subresource
    return (CLASS,) if pod or (asked.kind == CLASS and asked.operation != DELETE) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A pod with the priority and the preemption policy of its class, or why it may not have its own."""
    pod = asked.obj
    if asked.kind != POD or pod is None or asked.subresource:
        return pod
    return _kept(pod, asked.old) if asked.old is not None else _given(asked, pod)


def validate(asked: Attributes) -> ApiError | None:
    """Why a class may not be the default: another one is."""
    new = asked.obj
    if asked.kind != CLASS or new is None or asked.operation == DELETE or not new.get("globalDefault"):
        return None
    found = _default(asked)
    if found is None or (asked.operation != CREATE and found["metadata"]["name"] == new["metadata"]["name"]):
        return None
    name = found["metadata"]["name"]
    return forbid(asked, f"PriorityClass {name} is already marked as default. Only one default can exist")


def _default(asked: Attributes) -> Obj | None:
    """Of several defaults the lowest counts."""
    marked = [one for one in asked.known.items(CLASS) if one.get("globalDefault")]
    return min(marked, key=lambda one: one.get("value", 0), default=None)


def _given(asked: Attributes, pod: Obj) -> Obj | ApiError:
    spec = pod.get("spec") or {}
    called = spec.get("priorityClassName") or ""
    found = asked.known.get(CLASS, "", called) if called else _default(asked)
    if called and found is None and called not in CLASSES:
        return forbid(asked, f"no PriorityClass with name {called} was found")
    priority = CLASSES.get(called, 0) if found is None else found.get("value", 0)
    policy = POLICY if found is None else found.get("preemptionPolicy") or POLICY
    for field, what, computed in (
        ("priority", "the integer value of priority", priority),
        ("preemptionPolicy", "the string value of PreemptionPolicy", policy),
    ):
        own = spec.get(field)
        if own is not None and own != computed:
            return forbid(asked, f"{what} ({own}) {OWN_WORD} {computed} from the given PriorityClass name")
    pod = evolve_many(pod, (("spec", "priority"), priority), (("spec", "preemptionPolicy"), policy))
    if called or found is None:
        return pod
    return evolve_many(pod, (("spec", "priorityClassName"), found["metadata"]["name"]))


def _kept(pod: Obj, old: Obj) -> Obj:
    """An update that leaves them out does not mean to change them."""
    spec, before = pod.get("spec") or {}, old["spec"]
    missing = [
        (("spec", field), before[field])
        for field in ("priority", "preemptionPolicy")
        if spec.get(field) is None and before.get(field) is not None
    ]
    return evolve_many(pod, *missing) if missing else pod
