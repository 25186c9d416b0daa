"""What the API server keeps of what a controller asks for, without a server: the other half of a dialogue.

`Store.play` sends each step its answer, as the driver does, and says which steps there were. What is stored has a name,
a UID, a resourceVersion and a generation, as in etcd.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import kind_of
from kubemini.api.objects import evolve_many, freeze, without
from kubemini.controllers.decide.actions import Create, Delete, Plan, Tell
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Answer

NOT_FOUND = ApiError(404, "NotFound", "it is not there")


class Store:
    """Objects by kind and key; *refuse*: an error for a step, or None."""

    def __init__(self, *objects, refuse=lambda step: None):
        self.objects, self.refuse, self.version, self.told = {}, refuse, 0, []
        for obj in objects:
            self.put(obj)

    def put(self, obj, before=None):
        """Keep *obj* as it is sent, in the place of *before*."""
        self.version += 1
        meta, old = obj["metadata"], (before or {}).get("metadata", {})
        name = meta.get("name") or f"{meta['generateName']}{self.version:05}"
        content = lambda one: {k: v for k, v in one.items() if k != "metadata"}  # noqa: E731
        news = before is not None and content(before) != content(obj)
        edits = {
            "name": name,
            "uid": old.get("uid") or meta.get("uid") or f"uid-{self.version}",
            "resourceVersion": str(self.version),
            "generation": old.get("generation", 1) + news,
        }
        kept = evolve_many(freeze(obj), *((("metadata", part), value) for part, value in edits.items()))
        kept = kept if meta.get("annotations") else without(kept, ("metadata", "annotations"))
        self.objects[kind_of(kept), key_of(kept)] = kept
        return kept

    def all(self, kind):
        """Those of a kind, by name."""
        return [obj for (of, _), obj in sorted(self.objects.items(), key=lambda one: one[0][1]) if of == kind]

    @property
    def facts(self):
        """A cache that is as new as the store."""
        return Facts(
            get=lambda kind, key: self.objects.get((kind, key)),
            of_namespace=lambda kind, ns: [one for one in self.all(kind) if one["metadata"].get("namespace", "") == ns],
            owned_by=lambda kind, uid: [],
            every=self.all,
        )

    def carry_out(self, step):
        """(object, error) of one step."""
        if error := self.refuse(step):
            return None, error
        if isinstance(step, Tell):
            self.told.append((step.type, step.reason, step.message))
            return None, None
        place = kind_of(step.obj), key_of(step.obj) if "name" in step.obj["metadata"] else None
        if isinstance(step, Create):
            return self.put(step.obj), None
        if place not in self.objects:
            return None, NOT_FOUND
        if isinstance(step, Delete):
            return self.objects.pop(place), None
        return self.put(step.obj, self.objects[place]), None

    def play(self, decided):
        """Carry out a plan or a dialogue; returns the steps, and the error that it ends with."""
        if isinstance(decided, Plan):
            for step in decided.actions:
                self.carry_out(step)
            return list(decided.actions), None
        steps, answer = [], None
        try:
            while True:
                step = decided.send(answer)
                steps.append(step)
                answer = self.answer(step)
        except StopIteration as stop:
            return steps, stop.value.error

    def answer(self, step):
        """What the driver would send back."""
        return Answer(*self.carry_out(step))
