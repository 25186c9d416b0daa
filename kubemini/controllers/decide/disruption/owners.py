"""How many pods the owners of some pods want: what a budget measures a percentage by. Pure.

Each pod's controller is looked up in the caches, a Deployment behind its ReplicaSet; whoever is of no kind that is
cached here says it through its sub-resource scale.
Models k/k pkg/controller/disruption DisruptionController.getExpectedScale, DisruptionController.getScaleController,
DisruptionController.implementsScale
"""

from collections.abc import Generator

from kubemini.api.kinds import DEPLOYMENT, KNOWN, REPLICA_SET, STATEFUL_SET, Kind, by_gvk
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import controller_of
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.dialogue import Answer, Ask, Step, not_found, words

CONTROLLER = KNOWN["v1", "ReplicationController"]
CACHED = (CONTROLLER, REPLICA_SET, STATEFUL_SET)
READ = (*CACHED, DEPLOYMENT)
Sizes = dict[str, int]  # by the UID of who wants so many


class Unknown(Exception):
    """An owner that cannot say how many it wants; the text is that of the status."""


def expected(pods: list[Obj], facts: Facts) -> Generator[Step, Answer, tuple[int, bool]]:
    """How many pods the owners of *pods* want in all, and whether there are pods that nobody owns. Raises Unknown."""
    sizes: Sizes = {}
    unmanaged = False
    for pod in pods:
        reference = controller_of(pod)
        if reference is None:
            unmanaged = True
        elif reference["uid"] not in sizes:
            sizes |= yield from _size(reference, pod, facts)
    return sum(sizes.values()), unmanaged


def _size(reference: Obj, pod: Obj, facts: Facts) -> Generator[Step, Answer, Sizes]:
    """What the owner behind *reference* wants."""
    space = pod["metadata"]["namespace"]
    group = reference["apiVersion"].rpartition("/")[0]
    for kind in CACHED:
        if (group, reference["kind"]) == (kind.group, kind.kind):
            found = _same(facts.get(kind, (space, reference["name"])), reference)
            above = controller_of(found) if found is not None else None
            if kind == REPLICA_SET and above is not None and above["kind"] == DEPLOYMENT.kind:
                found = _same(facts.get(DEPLOYMENT, (space, above["name"])), above)
            if found is not None:
                return {found["metadata"]["uid"]: get(found, "spec", "replicas", default=1)}
            break
    scale = yield from _scale(reference, space, facts)
    if scale is None:
        raise Unknown(f'found no controllers for pod "{pod["metadata"]["name"]}"')
    return {scale["metadata"]["uid"]: get(scale, "spec", "replicas", default=0)}


def _same(found: Obj | None, reference: Obj) -> Obj | None:
    """*found*, if it is who the reference means, and no namesake."""
    return found if found is not None and found["metadata"]["uid"] == reference["uid"] else None


def _scale(reference: Obj, space: str, facts: Facts) -> Generator[Step, Answer, Obj | None]:
    """The scale of an owner of any kind; None: it is gone."""
    kind = _kind(reference, facts)
    answer = yield Ask(kind.path(space, reference["name"], "scale"))
    if answer.error is None:
        return _same(answer.obj, reference)
    if not not_found(answer.error):
        raise Unknown(words(answer.error))
    told = yield Ask(f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}")
    if told.obj is None:
        raise Unknown(words(told.error))
    if not any(one["name"] == f"{kind.plural}/scale" for one in told.obj["resources"]):
        raise Unknown(f"{kind.resource} does not implement the scale subresource")
    return None


def _kind(reference: Obj, facts: Facts) -> Kind:
    api_version, name = reference["apiVersion"], reference["kind"]
    defined = (kind for kind in facts.defined() if (kind.api_version, kind.kind) == (api_version, name))
    found = by_gvk(api_version, name) or next(defined, None)
    if found is None:
        raise Unknown(f'no matches for kind "{name}" in version "{api_version}"')
    return found
