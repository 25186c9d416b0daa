"""Plays the API server in a dialogue: answers every step, remembers what was done, and says who is told what."""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import kind_of
from kubemini.api.objects import evolve, evolve_many
from kubemini.controllers.decide.actions import Create, Delete, Tell, UpdateStatus, controller_uid
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Answer, Read, Together
from tests.controllers.parts import played

REFUSED = ApiError(403, "Forbidden", 'pods "x" is forbidden: exceeded quota: q')
TAKEN = ApiError(409, "AlreadyExists", 'pods "x" already exists')
GONE = ApiError(404, "NotFound", 'pods "x" not found')


def talk(dialogue, answers=()):
    """(steps, end) of *dialogue*. *answers*: functions of a step; the first that returns an Answer gives it."""
    steps = []
    try:
        step = next(dialogue)
        while True:
            if isinstance(step, Together):
                parts = [played(part, lambda step: _answer(step, len(steps), answers), steps) for part in step.parts]
                step = dialogue.send(Answer(parts=tuple(parts)))
                continue
            steps.append(step)
            step = dialogue.send(_answer(step, len(steps), answers))
    except StopIteration as stop:
        return steps, stop.value


def _answer(step, number, answers):
    for answer in answers:
        if found := answer(step):
            return found
    if isinstance(step, Read):
        return Answer(error=GONE)
    if isinstance(step, Delete | Tell):
        return Answer()
    if not isinstance(step, Create):
        return Answer(step.obj)
    meta = step.obj["metadata"]
    name = meta.get("name") or f"{meta['generateName']}{number}"
    made = evolve(step.obj, ("metadata", "name"), name)
    return Answer(evolve_many(made, (("metadata", "uid"), f"uid of {name}"), (("metadata", "resourceVersion"), "1")))


def refuses(kind, verb=Create, error=REFUSED):
    """An answer to every such step: no."""
    return lambda step: (
        Answer(error=error) if isinstance(step, verb) and getattr(step, "obj", {}).get("kind") == kind else None
    )


def of_type(steps, verb, kind=None):
    """The objects of those steps that are a *verb*."""
    return [step.obj for step in steps if isinstance(step, verb) and kind in (None, step.obj["kind"])]


def facts_of(*objects, memory=None):
    """The caches with these *objects*."""

    def of(kind):
        return [obj for obj in objects if kind_of(obj) == kind]

    return Facts(
        get=lambda kind, key: next((obj for obj in of(kind) if key_of(obj) == key), None),
        of_namespace=lambda kind, namespace: of(kind),
        owned_by=lambda kind, uid: [obj for obj in of(kind) if controller_uid(obj) == uid],
        every=of,
        memory=memory,
    )


def deeds(steps):
    """(verb, name) of what was done to objects; reports and what was told are left out."""
    kept = [step for step in steps if hasattr(step, "obj") and not isinstance(step, Tell | UpdateStatus)]
    return [(type(step).__name__, _name(step.obj["metadata"])) for step in kept]


def _name(meta):
    return meta.get("name") or meta["generateName"]


def told(steps):
    """What is told, word for word."""
    return [f"{step.reason}: {step.message}" for step in steps if isinstance(step, Tell)]


def reports(steps):
    """The statuses that were written, in order."""
    return [step.obj["status"] for step in steps if isinstance(step, UpdateStatus)]


def report(steps):
    """The status that was written last."""
    return reports(steps)[-1]
