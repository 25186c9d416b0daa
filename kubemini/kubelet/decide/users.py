"""Who the processes of a container are, and what of its surroundings they may change. Pure.

Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.determineEffectiveSecurityContext getUserFromImageUser
Simplified: a user that an image names, rather than numbers, is root; nobody is in a group of the image's /etc/group.
"""

from typing import Any, NamedTuple

from kubemini.api.objects import Obj, get


class Identity(NamedTuple):
    """*groups*: the first one first."""

    user: int
    groups: tuple[int, ...]


def context(pod: Obj, container: Obj) -> dict[str, Any]:
    """The security context of *container*: its own, and where that says nothing the pod's."""
    return {**(get(pod, "spec", "securityContext") or {}), **(container.get("securityContext") or {})}


def identity(pod: Obj, container: Obj, image_user: str) -> Identity:
    """Whose its processes are; *image_user*: as its image says."""
    said, of_pod = context(pod, container), get(pod, "spec", "securityContext") or {}
    user = said.get("runAsUser")
    if user is None:
        user = int(image_user) if image_user.isdigit() else 0
    group = int(said.get("runAsGroup") or 0)
    more = [*(of_pod.get("supplementalGroups") or ()), of_pod.get("fsGroup")]
    return Identity(int(user), tuple(dict.fromkeys([group, *(int(one) for one in more if one is not None)])))


def sysctls(pod: Obj) -> dict[str, str]:
    """What the pod sets in its kernel."""
    return {one["name"]: one["value"] for one in get(pod, "spec", "securityContext", "sysctls") or ()}
