"""ReplicationController: a ReplicaSet of the first days, whose selector is a plain map.

Models k/k pkg/controller/replication ReplicationManager
"""

from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import Obj
from kubemini.controllers.decide.actions import controller_of
from kubemini.controllers.decide.claims import concerns_somebody, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import Dialogue
from kubemini.controllers.decide.workloads import replicaset

KIND = KNOWN["v1", "ReplicationController"]


def decide(controller: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What makes it true: as of a ReplicaSet, but nothing is told of pods on their way out."""
    meta = controller["metadata"]
    pods = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    return replicaset.dialogue(controller, pods, (), caught_up, now, leaving=False)


def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The ReplicationController that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, KIND)
    here = facts.of_namespace(KIND, pod["metadata"]["namespace"])
    return [key_of(one) for one in here if selects(one, pod)]


CONTROLLER = Controller(
    KIND, decide, (Watch(POD, of_pod, made_here=True, when=concerns_somebody),), source="replication-controller"
)
