"""One look of a controller at one key, in a sentence: what its cache said, what it asked for, how it ended. Pure."""

from dataclasses import dataclass, field
from typing import Any

from kubemini.view.loopwords import Known, many, pods_of

Asked = tuple[str, str, str, str]  # verb, kind, name, error


def plain(key: str, known: Known) -> str:
    """What the cache says of *key*, as far as the decision needs it."""
    replicaset = known.get(("ReplicaSet", key))
    if replicaset is None:
        return ""
    return f"wanted {replicaset['replicas']}, in its cache {pods_of(key, known)}"


@dataclass(slots=True)
class Look:
    """It begins *at* an instant, from what the cache said (*facts*); so much it has asked for and not yet seen."""

    at: int
    key: str
    facts: str
    creations: int
    deletions: int
    asked: list[Asked] = field(default_factory=list)
    end: int | None = None  # when it was over
    error: str = ""

    def mark(self) -> str:
        """✕ it must look again, ✓ it has asked for something, · it had nothing to do, … it goes on."""
        if self.end is None:
            return "…"
        return "✕" if self.error else "✓" if self.asked else "·"

    def sentence(self) -> str:
        """The decision, and what became of it."""
        before = f"{self.facts}: " if self.facts else ""
        if self.error.startswith("read version"):
            return f"{before}decides nothing, for its cache is older than what it has written itself"
        did = ", ".join(self._deeds()) or ("is at it" if self.end is None else self._nothing())
        return f"{before}{did}" + (f"; must look again: {self.error}" if self.error else "")

    def _nothing(self) -> str:
        if self.creations > 0 or self.deletions:
            waits = many(self.creations, "new pod") if self.creations > 0 else many(self.deletions, "deletion")
            return f"waits to see {waits} that it has asked for"
        return "nothing to do"

    def _deeds(self) -> list[str]:
        groups: dict[tuple[str, str], list[str]] = {}
        for verb, kind, name, _ in self.asked:
            groups.setdefault((verb, kind), []).append(name)
        return [self._deed(verb, kind, names) for (verb, kind), names in groups.items()]

    def _deed(self, verb: str, kind: str, names: list[str]) -> str:
        if verb in ("creates", "deletes"):
            return f"{verb} {many(len(names), kind)}"
        if verb.endswith("status of") and names[0] == self.key.rpartition("/")[2]:
            return "writes its status"
        return f"{verb} {kind} {names[0]}"

    def drawn(self) -> dict[str, Any]:
        """The look as it is drawn."""
        wrote = [["✕" if error else "✓", f"{verb} {kind} {name}", error] for verb, kind, name, error in self.asked]
        return {"at": self.at, "key": self.key, "says": self.sentence(), "mark": self.mark(), "wrote": wrote}
