"""What the exercises on policies share: manifests become a truth table, and the table is held against the wanted one.

Invariant: policies are judged by whom they let call whom, so every set that gives the table is right.
"""

from collections.abc import Sequence, Set
from typing import Any

from kubemini.api.manifests import ManifestError
from kubemini.api.objects import Obj
from kubemini.apiserver.decide import strategy
from kubemini.lab import NotYet, Report
from kubemini.network.decide.policy.judge import PolicyVerdict
from kubemini.study.reach import End, read, table

Pair = tuple[str, str]
SHOWN = 3  # wrong pairs that a report names


def manifest(name: str, namespace: str, spec: str) -> str:
    """A NetworkPolicy as text; *spec* stands as it is, below ``spec:`` or behind it."""
    head = (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    )
    return f"{head}spec:\n{spec}" if spec.startswith(" ") else f"{head}spec: {spec}"


def judged(answer: Any, cast: Sequence[End], wanted: Set[Pair], next: str, moral: str) -> Report:
    """The report on a learner's policies, under which exactly the pairs of *wanted* must connect. Raises NotYet."""
    return Report("pass", held(policies_in(answer), cast, wanted, next), moral)


def policies_in(answer: Any) -> list[Obj]:
    """The learner's policies, as the API server takes them."""
    if not isinstance(answer, str):
        raise NotYet(f"Give check() the text of the manifests; it got {type(answer).__name__}.")
    try:
        found = read(answer)
    except ManifestError as error:
        raise NotYet(f"The manifests cannot be read: {error}") from None
    for policy in found:
        meta = {"namespace": "shop"} if policy["kind"] == "NetworkPolicy" else {}
        if wrong := strategy.validate(strategy.default({**policy, "metadata": {**meta, **policy["metadata"]}})):
            raise NotYet(f"The API server refuses a manifest: {wrong.message}")
    if not found:
        raise NotYet("There is no NetworkPolicy in it, so everybody may call everybody.")
    return found


def held(policies: Sequence[Obj], cast: Sequence[End], wanted: Set[Pair], next: str) -> tuple[str, ...]:
    """Facts about the table of *policies*, in which exactly the pairs of *wanted* may connect. Raises NotYet."""
    verdicts = table(policies, cast)
    wrong = [(pair, said) for pair, said in verdicts.items() if said.allowed != (pair in wanted)]
    facts = (f"{len(verdicts) - len(wrong)} of {len(verdicts)} connections as wanted", _count(len(policies)))
    if wrong:
        told = "; ".join(_told(pair, said) for pair, said in wrong[:SHOWN])
        raise NotYet(f"Not yet: {told}.", *facts, next=next)
    return facts


def _told(pair: Pair, said: PolicyVerdict) -> str:
    must = "must not be" if said.allowed else "must be"
    return f"{pair[0]} → {pair[1]} {must} allowed ({said.rule})"


def _count(number: int) -> str:
    return f"{number} polic{'y' if number == 1 else 'ies'}"
