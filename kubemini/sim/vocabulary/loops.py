"""A controller in close-up (`Params.close_up`): its caches, its queue, its looks; written by its program."""

from kubemini.sim.vocabulary.word import MANAGER, Detail, word


def _informer(d: Detail) -> str | None:
    match d["state"]:
        case "lists" if d["why"]:
            return f"lists {d['kind']}s anew: {d['why']}"
        case "waits":
            return f"cannot list or watch {d['kind']}s: {d['why']}"
        case "cut":
            return f"hears nothing more on its watch of {d['kind']}s"
    return None


def _sync(d: Detail) -> str | None:
    if d["step"] == "asks" and d["error"]:
        return f"{d['verb']} {d['kind']} {d['name']}, and is refused: {d['error']}"
    return None


word(
    "informer",
    MANAGER,
    "what an informer is about; {kind, state: lists|watches|waits|cut, version: the resourceVersion of its copy,"
    " why: '' in peace}",
    _informer,
)
word(
    "cache",
    MANAGER,
    "an informer's copy changes; {kind, verb: ADDED|MODIFIED|DELETED, namespace, name, revision: that it has now, 0 if"
    " none}",
)
word(
    "queue",
    MANAGER,
    "a work queue changes; {controller, waiting: [keys], working: [keys in hand], again: [those of them that were added"
    " meanwhile], later: {key: µs at which it is added}, failures: {key: how many in a row}}",
)
word(
    "sync",
    MANAGER,
    "a controller looks at a key; {controller, key, step: begins|asks|ends, creations, deletions: that it has asked for"
    " and not yet seen, verb, kind, name: what it asks for, error: '' or why it was refused, or must look again}",
    _sync,
)
