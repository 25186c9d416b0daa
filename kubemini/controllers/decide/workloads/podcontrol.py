"""Making and deleting a pod, and telling its owner of it: what most controllers of workloads share.

Models k/k pkg/controller RealPodControl.CreatePods, RealPodControl.DeletePod
"""

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import Create, Delete, Tell
from kubemini.controllers.decide.dialogue import Refused, Steps, namespace_is_ending, not_found, words


def create(owner: Obj, pod: Obj) -> Steps:
    """Make *pod*; returns it as it is then. Raises Refused."""
    answer = yield Create(pod)
    if answer.error is not None:
        if not namespace_is_ending(answer.error):
            yield Tell(owner, "Warning", "FailedCreate", f"Error creating: {words(answer.error)}")
        raise Refused(answer.error)
    name = get(answer.obj, "metadata", "name")
    yield Tell(owner, "Normal", "SuccessfulCreate", f"Created pod: {name}")
    return answer.obj


def delete(owner: Obj, pod: Obj) -> Steps:
    """Let *pod* go; one that is gone already is no news. Raises Refused."""
    answer = yield Delete(pod)
    if answer.error is None:
        yield Tell(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
    elif not not_found(answer.error):
        yield Tell(owner, "Warning", "FailedDelete", f"Error deleting: {words(answer.error)}")
        raise Refused(answer.error)
