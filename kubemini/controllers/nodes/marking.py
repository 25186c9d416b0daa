"""How a controller writes the status of a pod that it does not own: a patch of what differs, of this very pod.

Models k/k pkg/util/pod PatchPodStatus
"""

from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, freeze, get
from kubemini.client import ApiClient
from kubemini.sim import Steps


def patch_status(client: ApiClient, pod: Obj, after: Obj) -> Steps:
    """The reply to making the status of *pod* that of *after*, by what differs."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    body: Any = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": changes(pod, after)}
    return client.request("PATCH", POD.path(namespace, name, "status"), freeze(body), {"type": "strategic"})


def changes(pod: Obj, after: Obj) -> dict[str, Any]:
    """What of the status differs; of the conditions those that do."""
    before, status = pod.get("status") or {}, after["status"]
    changed = {field: value for field, value in status.items() if before.get(field) != value}
    if "conditions" in changed:
        held = get(pod, "status", "conditions") or ()
        changed["conditions"] = [found for found in changed["conditions"] if found not in held]
    return changed
