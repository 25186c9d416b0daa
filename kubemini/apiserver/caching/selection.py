"""What a request asks for of a kind: of one namespace, by fields and by labels."""

from dataclasses import dataclass

from kubemini.api import fields
from kubemini.api.fields import Term
from kubemini.api.labels import Selector
from kubemini.api.objects import Obj


@dataclass(frozen=True, slots=True)
class Selection:
    """Call it with an object: whether that is asked for. Two that ask for the same are equal."""

    namespace: str  # "": of all
    terms: tuple[Term, ...]
    picked: Selector

    def __call__(self, obj: Obj) -> bool:
        meta = obj["metadata"]
        if self.namespace and meta.get("namespace") != self.namespace:
            return False
        return fields.matches(self.terms, obj) and self.picked.matches(meta.get("labels"))

    @property
    def place(self) -> tuple[str, str] | None:
        """A field, and the value of it that every object has that is asked for; None if no field is sure."""
        for term in self.terms:
            if term.equal:
                return term.field, term.value
        return ("metadata.namespace", self.namespace) if self.namespace else None
