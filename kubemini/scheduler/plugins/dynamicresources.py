"""DynamicResources: a pod that claims devices must have them. Pure.

Models k/k pkg/scheduler/framework/plugins/dynamicresources DynamicResources.PreFilter
Simplified: devices are not given out: a pod waits until its claims are there, and until somebody else has allocated
them; then their node selector decides. No device stands for an extended resource.
"""

from collections.abc import Iterator, Sequence

from kubemini.api.objects import Obj, get
from kubemini.api.placement import nodeselection
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_LABEL, OWN_CLAIM
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, ZERO, Cycle, Event, Plugin, Refusal, hopeless

NAME, CLAIM = "DynamicResources", "ResourceClaim"
CLAIM_CHANGES = ("resource.k8s.io/ResourceClaimAdd", "resource.k8s.io/ResourceClaimUpdate")


def claims(pod: Obj) -> Iterator[tuple[str, str]]:
    """Its claims as the pod calls them, and by their own names, "" for one that has not been made."""
    made = {one["name"]: one.get("resourceClaimName") for one in get(pod, "status", "resourceClaimStatuses") or ()}
    for one in pod["spec"].get("resourceClaims") or ():
        yield one["name"], one.get("resourceClaimName") or made.get(one["name"]) or ""


def prepare(cycle: Cycle) -> Refusal | str | None:
    """Look up the claims and where what was allocated is."""
    space, selectors = cycle.pod["metadata"].get("namespace", ""), []
    for label, name in claims(cycle.pod):
        if not name:
            return hopeless(f'pod "{space}/{cycle.pod["metadata"]["name"]}": ResourceClaim not created yet: {label}')
        claim = cycle.known.get(CLAIM, space, name)
        if claim is None:
            return hopeless(f'resourceclaim.resource.k8s.io "{name}" not found')
        allocation = get(claim, "status", "allocation")
        if allocation is None:
            return hopeless("cannot allocate all claims")
        if allocation.get("nodeSelector"):
            selectors.append(allocation["nodeSelector"])
    cycle.state[NAME] = selectors
    return None if cycle.pod["spec"].get("resourceClaims") else SKIP


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | str | None:
    """Why not this node: what was allocated is elsewhere."""
    there = all(nodeselection.selects(selector, info.node) for selector in cycle.state[NAME])
    return None if there else hopeless("resourceclaim not available on the node")


def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str:
    """No node is better than another."""
    return ZERO


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """No node is better than another."""
    return 0


def hint(pod: Obj, event: Event) -> bool:
    """Of claims only the pod's own."""
    if event.what not in CLAIM_CHANGES or event.new is None:
        return True
    meta = event.new["metadata"]
    mine = meta.get("namespace") == pod["metadata"].get("namespace")
    return mine and any(name == meta["name"] for _, name in claims(pod))


PLUGIN = Plugin(
    NAME,
    120,
    refuse,
    prefer,
    weight=2,
    prefilter=prepare,
    prescore=begin,
    helped_by=(NODE_ADDED, NODE_LABEL, OWN_CLAIM, *CLAIM_CHANGES),
    hint=hint,
)
