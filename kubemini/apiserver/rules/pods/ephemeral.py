"""What the containers may be that are put into a pod to look around in it.

Models k/k pkg/apis/core/validation validateEphemeralContainers.
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, duplicate, forbidden, not_found
from kubemini.apiserver.rules.pods.containers import Around, common, unpadded_image

NOT_EPHEMERAL = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy")
NOT_SET = "cannot be set for an Ephemeral Container"


def ephemeral_containers(items: Sequence[Obj], path: str, others: Sequence[Obj], around: Around) -> Wrong:
    """Every complaint; *others*: the containers that the pod has besides."""
    lasting = [one.get("name", "") for one in others]
    names = list(lasting)
    for number, one in enumerate(items):
        where = f"{path}[{number}]"
        yield from common(one, where, around)
        yield from unpadded_image(one, where)
        yield from _ephemeral(one, where, names, lasting)
        names.append(one.get("name", ""))


def _ephemeral(one: Obj, path: str, names: list[str], lasting: list[str]) -> Wrong:
    if one.get("name", "") in names:
        yield duplicate(f"{path}.name", one.get("name", ""))
    target = one.get("targetContainerName", "")
    if target and target not in lasting:
        yield not_found(f"{path}.targetContainerName", target)
    for field in NOT_EPHEMERAL:
        if one.get(field):
            yield forbidden(f"{path}.{field}", NOT_SET)
    for number, mount in enumerate(one.get("volumeMounts") or ()):
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                yield forbidden(f"{path}.volumeMounts[{number}].{field}", NOT_SET)
