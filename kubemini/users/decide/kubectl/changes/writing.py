"""What all writes share: who writes, dry runs, the answer as kubectl tells it.

Models k/kubectl pkg/cmd/util AddDryRunFlag GetDryRunStrategy; k/cli-runtime pkg/printers NamePrinter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.api.schema.written import written
from kubemini.users.decide.apply import LAST_APPLIED, go_json
from kubemini.users.decide.kubectl.asking import Steps, fail
from kubemini.users.decide.kubectl.flags import Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import outputs

CLIENT, SERVER = "client", "server"
DRY_RUN = (Flag("dry-run", default="none", bare="unchanged"),)
CHECKS = (
    Flag("validate", default="strict", bare="strict"),
    Flag("field-manager"),
)
SAVE = (Flag("save-config", kind="bool"),)
WRITES = (*outputs.OUTPUT, *DRY_RUN, *CHECKS)
_CHECKED = {"strict": "Strict", "true": "Strict", "warn": "Warn", "ignore": "Ignore", "false": "Ignore"}


@dataclass(frozen=True, slots=True)
class Writing:
    """How one line writes: *query* of each request, and *tell*, which prints what has come of it."""

    dry: str
    query: tuple[tuple[str, str], ...]
    show: Callable[[Any], str] | None
    line: Line

    def tell(self, obj: Any, deed: str, called: str = "") -> None:
        """``pod/web created``, or the object in the form that was asked for."""
        if self.show is not None:
            self.line.screen.out(self.show(obj))
            return
        self.line.screen.line(f"{called or outputs.name_of(obj)} {deed}{note(self.dry)}")


def of(line: Line, given: Given, manager: str, checks: bool = True, typed: bool = False) -> Steps:
    """The `Writing` that the flags of *given* ask for; *typed*: of what kubectl has a type. Raises Failed."""
    dry = strategy(given)
    query: list[tuple[str, str]] = [("dryRun", "All")] if dry == SERVER else []
    query.append(("fieldManager", given.values.get("field-manager") or manager))
    if checks:
        query.append(("fieldValidation", validation(given)))
    show = (yield from outputs.of(given, typed=typed)) if given.values.get("output") else None
    return Writing(dry, tuple(query), show, line)


def note(dry: str) -> str:
    """What stands behind a deed that was not done."""
    return {CLIENT: " (dry run)", SERVER: " (server dry run)"}.get(dry, "")


def strategy(given: Given) -> str:
    """``none``, ``client`` or ``server``. Raises Failed."""
    text = given.values.get("dry-run", "none")
    if text in ("none", CLIENT, SERVER):
        return str(text)
    if text == "unchanged":
        raise fail('--dry-run flag without a value was specified. A value must be set: "none", "server", or "client".')
    raise fail(f'Invalid dry-run value ({text}). Must be "none", "server", or "client".')


def validation(given: Given) -> str:
    """What a server does with unknown fields. Raises Failed."""
    text = str(given.values.get("validate", "strict")).lower()
    if text not in _CHECKED:
        raise fail(
            f'invalid - validate option "{given["validate"]}"; must be one of: strict (or true), warn, '
            "ignore (or false)"
        )
    return _CHECKED[text]


def as_typed(obj: Any) -> Any:
    """*obj* as Go writes a struct of its type: with the empty ones that are never left out."""
    return written(obj)


def with_annotation(obj: Any) -> Any:
    """*obj* with itself as what was applied last."""
    meta = dict(obj.get("metadata") or {})
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    bare = {**obj, "metadata": {**meta, "annotations": notes}}
    return {**obj, "metadata": {**meta, "annotations": {**notes, LAST_APPLIED: go_json(bare)}}}
