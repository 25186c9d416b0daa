"""What is done to one pod of a StatefulSet and its claims, and what the set is told of it.

Models k/k pkg/controller/statefulset StatefulPodControl.CreateStatefulPod, StatefulPodControl.UpdateStatefulPod
Models k/k pkg/controller/statefulset StatefulPodControl.DeleteStatefulPod, recordPodEvent, recordClaimEvent
Simplified: a pod that somebody else has written meanwhile is looked at again from the queue, not at once.
"""

from dataclasses import dataclass
from typing import Any

from kubemini.api.kinds import PERSISTENT_VOLUME_CLAIM
from kubemini.api.objects import Obj
from kubemini.controllers.decide.actions import Create, Delete, Tell, Update, terminating
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Refused, Steps, exists_already, must, not_found, words
from kubemini.controllers.decide.workloads.statefulset import identity, retention

CONFLICT = (
    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, "
    "the retention policy is ignored for this claim"
)


@dataclass(frozen=True, slots=True)
class Hands:
    """What a StatefulSet does to its pods; *stateful* is as it was read."""

    stateful: Obj
    facts: Facts

    def create(self, pod: Obj) -> Steps:
        """Its claims, then the pod. Raises Refused."""
        try:
            yield from self._create_claims(pod)
        except Refused as refused:
            yield self._said("Create", pod, refused.error)
            raise
        answer = yield Create(pod)
        if exists_already(answer.error):
            raise Refused(answer.error)
        try:
            yield from self.own_claims(pod if answer.obj is None else answer.obj)
        except Refused as refused:
            yield self._said("Update", pod, refused.error)
            raise
        yield self._said("Create", pod, answer.error)
        if answer.error is not None:
            raise Refused(answer.error)

    def update(self, pod: Obj) -> Steps:
        """Its name, its volumes and its claims as they should be. Raises Refused."""
        try:
            if not identity.storage_fits(self.stateful, pod):
                yield from self._create_claims(pod)
            yield from self.own_claims(pod)
            yield from must(Update(identity.corrected(self.stateful, pod)))
        except Refused as refused:
            yield self._said("Update", pod, refused.error)
            raise
        yield self._said("Update", pod)

    def delete(self, pod: Obj) -> Steps:
        """Let it go. Raises Refused."""
        answer = yield Delete(pod)
        error = None if not_found(answer.error) else answer.error
        yield self._said("Delete", pod, error)
        if error is not None:
            raise Refused(error)

    def complete(self, pod: Obj) -> Steps:
        """Make the claims that a pod still lacks. Raises Refused."""
        yield from self._create_claims(pod)
        try:
            yield from self.own_claims(pod)
        except Refused as refused:
            yield self._said("Update", pod, refused.error)
            raise

    # -- claims ------------------------------------------------------------------------------------------------------
    def is_stale(self, pod: Obj) -> bool:
        """Whether a claim of a new pod waits to be deleted with a pod of its name that is gone."""
        if not retention.policy(self.stateful)[1]:
            return False
        return any(retention.is_stale(claim, pod) for claim in self._claims(pod))

    def claims_fit(self, pod: Obj) -> bool:
        """Whether the claims of a pod belong to whom they should."""
        return all(retention.fits(claim, self.stateful, pod) for claim in self._claims(pod))

    def own_claims(self, pod: Obj) -> Steps:
        """Give the claims of a pod the owners that they should have. Raises Refused."""
        for claim in self._claims(pod):
            if retention.has_other_controller(claim, self.stateful, pod):
                text = CONFLICT.format(claim["metadata"]["name"])
                yield Tell(self.stateful, "Warning", "ConflictingController", text)
            if not retention.fits(claim, self.stateful, pod):
                answer = yield Update(retention.owned(claim, self.stateful, pod))
                if answer.error is not None:
                    name = claim["metadata"]["name"]
                    text = f"could not update claim {name} for delete policy ownerRefs: {words(answer.error)}"
                    raise Refused(text)

    def _claims(self, pod: Obj) -> list[Obj]:
        """Those claims of a pod that are there, as the cache has them."""
        found = (self._cached(claim) for claim in identity.claims(self.stateful, pod))
        return [claim for claim in found if claim is not None]

    def _cached(self, claim: Obj) -> Obj | None:
        return self.facts.get(PERSISTENT_VOLUME_CLAIM, key_of(claim))

    def _create_claims(self, pod: Obj) -> Steps:
        wrong = []
        for claim in identity.claims(self.stateful, pod):
            name, there = claim["metadata"]["name"], self._cached(claim)
            if there is None:
                answer = yield Create(claim)
                if answer.error is not None:
                    wrong.append(f"failed to create PVC {name}: {words(answer.error)}")
                if not exists_already(answer.error):
                    yield self._said_of_claim(name, pod, answer.error)
            elif terminating(there):
                wrong.append(f"pvc {name} is being deleted")
        if wrong:
            raise Refused(wrong[0] if len(wrong) == 1 else f"[{', '.join(dict.fromkeys(wrong))}]")

    # -- what is said ------------------------------------------------------------------------------------------------
    def _said(self, verb: str, pod: Obj, error: Any = None) -> Tell:
        about = f"{verb} Pod {pod['metadata']['name']} in StatefulSet {self.stateful['metadata']['name']}"
        if error is None:
            return Tell(self.stateful, "Normal", f"Successful{verb}", f"{about} successful")
        return Tell(self.stateful, "Warning", f"Failed{verb}", f"{about} failed error: {words(error)}")

    def _said_of_claim(self, name: str, pod: Obj, error: Any) -> Tell:
        where = f"Pod {pod['metadata']['name']} in StatefulSet {self.stateful['metadata']['name']}"
        if error is None:
            return Tell(self.stateful, "Normal", "SuccessfulCreate", f"Create Claim {name} {where} success")
        text = f"Create Claim {name} for {where} failed error: {words(error)}"
        return Tell(self.stateful, "Warning", "FailedCreate", text)
