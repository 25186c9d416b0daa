"""controllers.cascade: which objects go when an owner has gone, in 200 families.

Owners are known by their UID. An object may have several; one that was deleted and made anew is another.
"""

from collections.abc import Iterable
from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.ranges import shown

FAMILIES = 200
Object = dict[str, Any]


def family(number: int) -> tuple[list[Object], set[str], str]:
    """Some objects, the UIDs that must go, and what is peculiar."""
    dice = Random(f"cascade/{number}")
    objects: list[Object] = []
    for place in range(dice.randint(6, 16)):
        owners = dice.sample(objects, min(len(objects), dice.choice([0, 1, 1, 1, 2])))
        objects.append(made(f"obj-{place}", f"uid-{number}-{place}", owners))
    peculiar = ("one owner of two", "a namesake", "a chain", "no owner")[number % 4]
    root = dice.choice(objects[:3])
    left = [obj for obj in objects if obj is not root]
    if peculiar == "a namesake":
        left.append(made(root["metadata"]["name"], f"uid-{number}-again", []))
    dice.shuffle(left)
    return left, doomed(left), peculiar


def made(name: str, uid: str, owners: Iterable[Object]) -> Object:
    """One object."""
    references = [{"name": o["metadata"]["name"], "uid": o["metadata"]["uid"]} for o in owners]
    return {"metadata": {"name": name, "uid": uid, "ownerReferences": references}}


def doomed(objects: list[Object]) -> set[str]:
    """The UIDs of those that go, one after the other, because all their owners have gone."""
    gone: set[str] = set()
    while True:
        there = {obj["metadata"]["uid"] for obj in objects} - gone
        new = {obj["metadata"]["uid"] for obj in objects if _orphan(obj, there)} - gone
        if not new:
            return gone
        gone |= new


def _orphan(obj: Object, there: set[str]) -> bool:
    owners = [reference["uid"] for reference in obj["metadata"]["ownerReferences"]]
    return bool(owners) and not any(uid in there for uid in owners)


@exercise("controllers.cascade")
def check_cascade(answer: Any) -> Report:
    """*answer*: ``collect(objects)`` → UIDs of those whose owners have all gone; it is asked until it finds none."""
    removed = kept = rounds = 0
    for number in range(FAMILIES):
        objects, wanted, peculiar = family(number)
        there, gone = {obj["metadata"]["uid"]: obj for obj in objects}, set[str]()
        for _ in range(len(objects) + 1):
            rounds += 1
            found = _uids(ask(answer, list(there.values())))
            if not found:
                break
            _right(found, there, peculiar)
            for uid in sorted(found):
                del there[uid]
            gone |= found
        left = sorted(wanted - gone)
        if left:
            name = there[left[0]]["metadata"]["name"]
            raise NotYet(
                f"{name} stays, though none of its owners is there any more ({peculiar}).",
                next="Compare UIDs, not names. It is asked again after each deletion, so one step down is enough.",
            )
        removed, kept = removed + len(gone), kept + len(there)
    return Report(
        "pass",
        (
            f"{FAMILIES} families: {removed} objects went, {kept} stayed",
            f"asked {rounds} times; a chain goes link by link, and nobody needs to know its length",
        ),
        "Nobody told the collector what was deleted: it looks for owners that are not there.",
        "What would become of an object whose owner stands in another namespace?",
    )


def _uids(found: Any) -> set[str]:
    if not isinstance(found, set | list | tuple):
        raise NotYet(f"Return the UIDs as a set or a list; got {shown(found)}.")
    return {str(uid) for uid in found}


def _right(found: set[str], there: dict[str, Object], peculiar: str) -> None:
    for uid in sorted(found):
        if uid not in there:
            raise NotYet(f"{shown(uid)} is the UID of nothing that is there.")
        owners = [reference["uid"] for reference in there[uid]["metadata"]["ownerReferences"]]
        name = there[uid]["metadata"]["name"]
        if not owners:
            raise NotYet(f"{name} has no owner at all, and nobody asked for its end ({peculiar}).")
        if any(owner in there for owner in owners):
            raise NotYet(
                f"{name} goes, though one of its owners is still there ({peculiar}).",
                next="An object goes when *all* its owners have gone.",
            )
