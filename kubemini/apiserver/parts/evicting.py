"""POST to /eviction: ask the budget, tell the pod, delete it.

Models k/k pkg/registry/core/pod/storage EvictionREST.Create addConditionAndDeletePod.
Simplified: no webhook and no validating policy is asked about an Eviction.
"""

from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj
from kubemini.api.patch.apply import UPDATE, Manager
from kubemini.apiserver import admission, admitting, writing
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import ownership
from kubemini.apiserver.decide.attributes import CREATE
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.parts import binding, eviction
from kubemini.apiserver.decide.parts.eviction import BUDGET
from kubemini.apiserver.storage import Written
from kubemini.sim import Steps
from kubemini.sim.units import MS

TRIES, PAUSE = 20, 500 * MS  # at a pod or a budget that others change meanwhile
OURSELVES = Manager("kube-apiserver", UPDATE, BUDGET.api_version, "status")


def evict(core: Core, asked: Request) -> Steps:
    """The pod is on its way out, or why it stays."""
    info = asked.info
    how = eviction.read(asked.body, info.name, asked.options)
    if isinstance(how, ApiError):
        return how
    if asked.audit is not None:
        asked.audit.sent({"kind": "Eviction", "apiVersion": "policy/v1", **asked.body})
    looked_at = admitting.attributes(core, POD, CREATE, asked=asked)
    unready = yield from admitting.informed(core, looked_at)
    refused = unready or admission.admit(looked_at)
    if isinstance(refused, ApiError):
        return refused
    for _ in range(TRIES):
        pod = yield from core.storage.get_for_write(POD, info.namespace, info.name)
        if isinstance(pod, ApiError):
            return pod
        if not eviction.goes_at_once(pod):
            return (yield from _within_budget(core, asked, pod, how))
        done = yield from _removed(core, asked, how if eviction.is_final(pod) else eviction.as_seen(pod, how))
        if not _conflicts(done) or how.preconditions.get("resourceVersion"):
            return done
        yield core.component.timeout(PAUSE)
    return done


def _within_budget(core: Core, asked: Request, pod: Obj, how: Options) -> Steps:
    """Evict a pod that runs, as far as its budget allows."""
    found = yield from core.storage.list(BUDGET, asked.info.namespace)
    if isinstance(found, ApiError):
        return found
    budgets = eviction.budgets_of(pod, found[0].values())
    if len(budgets) > 1:
        return errors.failed(eviction.SEVERAL)
    if not budgets:
        return (yield from _removed(core, asked, how))
    name = budgets[0]["metadata"]["name"]
    if eviction.costs_nothing(pod, budgets[0]):
        done = yield from _removed(core, asked, eviction.as_seen(pod, how))
        return eviction.processed(name) if _conflicts(done) and not how.preconditions.get("resourceVersion") else done
    charged = yield from core.storage.update(
        BUDGET, asked.info.namespace, name, lambda old: _charged(core, old, asked.info.name), None, how.dry
    )
    return charged if isinstance(charged, ApiError) else (yield from _removed(core, asked, how))


def _charged(core: Core, old: Obj, pod: str) -> "Obj | ApiError":
    new = eviction.charged(old, pod, core.sim.wall)
    if isinstance(new, ApiError):
        return new
    return ownership.after_write(old, new, OURSELVES, core.flags.managed_fields, core.sim.wall)


def _removed(core: Core, asked: Request, how: Options) -> Steps:
    """Say in the pod's status why it goes, then delete it."""
    asked = replace(asked, options=how)
    if not how.dry:
        told = yield from writing.change(core, asked, lambda pod: eviction.condemned(pod, how, core.sim.wall))
        if isinstance(told, ApiError):
            return told
        how = _bumped(how, told)
    done = yield from writing.remove(core, replace(asked, options=how))
    return done if isinstance(done, ApiError) else binding.BOUND


def _bumped(how: Options, told: Written) -> Options:
    """*how*, for the state that we have just written ourselves."""
    if not how.preconditions.get("resourceVersion"):
        return how
    version = told.new["metadata"]["resourceVersion"]
    return replace(how, preconditions={**how.preconditions, "resourceVersion": version})


def _conflicts(done: Any) -> bool:
    return isinstance(done, ApiError) and done.reason == "Conflict"
