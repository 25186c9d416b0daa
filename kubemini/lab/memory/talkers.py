"""memory.talkers: which kind of object was written most between two looks at forty stores."""

from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.study.talkers import looks, mistaken

STORES = range(40)


@exercise("memory.talkers")
def check_talkers(answer: Any) -> Report:
    """*answer*: a function of the records at two moments: the kind that made the most revisions in between."""
    shares = [_loudest(seed, answer) for seed in STORES]
    return Report(
        "pass",
        (
            f"{len(shares)} of {len(shares)} stores",
            f"the loudest kind made {min(shares):.0%} to {max(shares):.0%} of the revisions",
        ),
        "The difference of two looks says who fills a store now; the sum says who once did.",
        "What would you ask the program behind it: why so often, or why so much?",
    )


def _loudest(seed: int, answer: Any) -> float:
    """The share of revisions that the loudest kind made. Raises NotYet if *answer* names another."""
    found = looks(seed)
    loudest, most = found.revisions.most_common(1)[0]
    got = ask(answer, [dict(kv) for kv in found.before], [dict(kv) for kv in found.after])
    if not isinstance(got, str):
        raise NotYet(f"Return the name of a kind, such as 'pods', not {got!r}.")
    if got != loudest:
        facts = f"store {seed}: {loudest} made {most} revisions, {got} {found.revisions[got]}"
        why = next((SEEMS[way] for way, named in mistaken(found).items() if named == got), "Another was written more.")
        raise NotYet(why, facts, next="version counts the writes of a key since it was created.")
    return most / found.revisions.total()


SEEMS = {
    "across": "A key that was deleted and created again begins at version 1: what it had before is no part of that.",
    "keys": "That kind has the most keys, which are not necessarily written.",
    "all": "That kind was written most since its keys were created: what of it was there at the first look?",
}
