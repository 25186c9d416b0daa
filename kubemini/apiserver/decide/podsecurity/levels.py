"""Which level a namespace asks for, and what a pod violates of it.

Models k/pod-security-admission api PolicyToEvaluate CompareLevels;
k/pod-security-admission policy checkRegistry.EvaluatePod.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubemini.api.errors import FieldError
from kubemini.apiserver.decide.podsecurity.checks import BASELINE, CHECKS, RESTRICTED, Forbidden
from kubemini.apiserver.rules.causes import invalid

PRIVILEGED = "privileged"
LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)  # from loose to strict
LATEST, NEWEST = "latest", max(since for check in CHECKS for since, _ in check.forms)
PREFIX = "pod-security.kubernetes.io/"
WRONG_LEVEL = "must be one of privileged, baseline, restricted"
WRONG_VERSION = 'must be "latest" or "v1.x"'
_VERSION = re.compile(r"v1\.([0-9]|[1-9][0-9]*)")


class Level(NamedTuple):
    """A level as it stood in a version: ``latest`` or ``v1.x``."""

    name: str = PRIVILEGED
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def minor(self) -> int:
        """The version's number; what is newer than all that changed is the newest."""
        return NEWEST if self.version == LATEST else min(NEWEST, int(self.version.removeprefix("v1.")))


@dataclass(frozen=True, slots=True)
class Policy:
    """What a namespace refuses, what it writes into the audit log, and what it warns of."""

    enforce: Level
    audit: Level
    warn: Level


def policy_of(labels: Mapping[str, str]) -> tuple[Policy, list[FieldError]]:
    """The policy that *labels* of a namespace ask for, and what is wrong with them.

    A wrong level of enforce is taken for the strictest, one of audit or warn for none. Who enforces a level and says
    nothing of warnings is warned of the same.
    """
    wrong: list[FieldError] = []
    found: dict[str, Level] = {}
    for mode in ("enforce", "audit", "warn"):
        name, version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        if name is not None and name not in LEVELS:
            wrong.append(invalid(f"metadata.labels[{PREFIX}{mode}]", name, WRONG_LEVEL))
            name = RESTRICTED if mode == "enforce" else PRIVILEGED
        if version is not None and version != LATEST and not _VERSION.fullmatch(version):
            wrong.append(invalid(f"metadata.labels[{PREFIX}{mode}-version]", version, WRONG_VERSION))
            version = LATEST
        found[mode] = Level(name or PRIVILEGED, version or LATEST)
    said = labels.get(PREFIX + "enforce") in LEVELS[1:]
    if said and PREFIX + "warn" not in labels:
        known = f"{PREFIX}warn-version" in labels
        found["warn"] = Level(found["enforce"].name, found["warn" if known else "enforce"].version)
    return Policy(found["enforce"], found["audit"], found["warn"]), wrong


def stricter(one: str, other: str) -> bool:
    """Whether the level *one* forbids more than *other*."""
    return LEVELS.index(one) > LEVELS.index(other)


def violations(level: Level, meta: Mapping[str, Any], spec: Mapping[str, Any]) -> list[Forbidden]:
    """All that a pod asks for and *level* forbids: baseline's checks by name, then those of restricted."""
    if level.name == PRIVILEGED:
        return []
    tests = {check.id: check.at(level.minor) for check in CHECKS if level.name == RESTRICTED or check.level == BASELINE}
    replaced = {check.replaces for check in CHECKS if check.level == RESTRICTED and tests.get(check.id)}
    found = [test(meta, spec) for id, test in tests.items() if test is not None and id not in replaced]
    return [one for one in found if one is not None]
