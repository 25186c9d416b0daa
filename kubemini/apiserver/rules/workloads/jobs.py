"""What a Job may be: how many pods, in which order, what counts as failure and as success.

Models k/k pkg/apis/batch/validation validateJobSpec, validatePodFailurePolicy, validateSuccessPolicy,
validateIndexesFormat; k/apimachinery pkg/util/validation IsDomainPrefixedPath.
Simplified: the scheduling of a gang (an alpha feature) is not judged.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import (
    Wrong,
    duplicate,
    each,
    indexed,
    invalid,
    not_negative,
    required,
    supported,
    too_long,
    too_many,
    wrong_as_a_whole,
)
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.workloads.replicated import pod_template

COUNTS = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"]
INDEXED = "Indexed"
MOST_PARALLEL = MOST_FAILED = SOFT_LIMIT = 100_000
MOST_WITH_MANY = 10_000
MOST_RULES, MOST_CODES, MOST_PATTERNS = 20, 255, 20
LONGEST_MANAGER = 63
ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
PER_INDEX = "requires indexed completion mode"
WITH_MANY = f"when completions are above {SOFT_LIMIT} and used with backoff limit per index"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def job_spec(spec: Obj, path: str) -> Wrong:
    """Every complaint but those about the selector, which a CronJob's template has not."""
    yield from not_negative(spec, path, *COUNTS, "backoffLimitPerIndex", "maxFailedIndexes")
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    yield from _manager(spec.get("managedBy"), f"{path}.managedBy")
    yield from _mode(spec, path)
    policy = spec.get("podFailurePolicy")
    if policy is not None:
        yield from _failure_policy(spec, policy.get("rules") or (), f"{path}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        yield from _success_policy(spec, f"{path}.successPolicy")
    replacing = spec.get("podReplacementPolicy")
    if replacing is not None:
        allowed = ("Failed",) if policy is not None else ("Failed", "TerminatingOrFailed")
        yield from supported(f"{path}.podReplacementPolicy", replacing, allowed)
    template = spec.get("template") or {}
    yield from pod_template(template, f"{path}.template")
    yield from _restart((template.get("spec") or {}).get("restartPolicy", ""), policy, f"{path}.template.spec")


def _restart(how: str, policy: Any, path: str) -> Wrong:
    """A job's pods do not run forever."""
    if how in ("Always", ""):
        yield required(f"{path}.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif how not in ("OnFailure", "Never"):
        yield from supported(f"{path}.restartPolicy", how, ("OnFailure", "Never"))
    elif policy is not None and how != "Never":
        yield invalid(f"{path}.restartPolicy", how, 'only "Never" is supported when podFailurePolicy is specified')


def _manager(name: str | None, path: str) -> Wrong:
    if name is None:
        return
    host, slash, rest = name.partition("/")
    if not name:
        yield required(path)
    elif not (slash and host and rest):
        yield invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from each(names.dns_subdomain(host), path, host)
        if not re.fullmatch(_HTTP_PATH, rest):
            yield invalid(path, rest, f"Invalid path (regex used for validation is '{_HTTP_PATH}')")
    if len(name) > LONGEST_MANAGER:
        yield too_long(path, LONGEST_MANAGER)


def _mode(spec: Obj, path: str) -> Wrong:
    mode = spec.get("completionMode")
    if mode is not None:
        yield from supported(f"{path}.completionMode", mode, ("NonIndexed", INDEXED))
    if mode == INDEXED:
        yield from _indexed(spec, path)
    elif mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield invalid(f"{path}.{field}", spec[field], PER_INDEX)


def _indexed(spec: Obj, path: str) -> Wrong:
    """Limits that keep the lists of indexes short."""
    completions, parallel, failed = (spec.get(f) for f in ("completions", "parallelism", "maxFailedIndexes"))
    if completions is None:
        yield required(f"{path}.completions", f"when completion mode is {INDEXED}")
    if parallel is not None and parallel > MOST_PARALLEL:
        text = f"must be less than or equal to {MOST_PARALLEL} when completion mode is {INDEXED}"
        yield invalid(f"{path}.parallelism", parallel, text)
    if completions is not None and failed is not None and failed > completions:
        yield invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions")
    if failed is not None and failed > MOST_FAILED:
        yield invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {MOST_FAILED}")
    if completions is None or completions <= SOFT_LIMIT or spec.get("backoffLimitPerIndex") is None:
        return
    if failed is None:
        yield required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {SOFT_LIMIT}")
    for field, value in (("parallelism", parallel), ("maxFailedIndexes", failed)):
        if value is not None and value > MOST_WITH_MANY:
            yield invalid(f"{path}.{field}", value, f"must be less than or equal to {MOST_WITH_MANY} {WITH_MANY}")


# -- what counts as failure ----------------------------------------------------------------------------


def _failure_policy(spec: Obj, rules: Sequence[Obj], path: str) -> Wrong:
    if len(rules) > MOST_RULES:
        yield too_many(path, len(rules), MOST_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    known = [c.get("name", "") for field in ("containers", "initContainers") for c in pod.get(field) or ()]
    for number, rule in enumerate(rules):
        yield from _failure_rule(spec, rule, f"{path}[{number}]", known)


def _failure_rule(spec: Obj, rule: Obj, path: str, known: Sequence[str]) -> Wrong:
    action, codes, conditions = rule.get("action", ""), rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if not action:
        yield required(f"{path}.action", f"valid values: {_listed(ACTIONS)}")
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    else:
        yield from supported(f"{path}.action", action, ACTIONS)
    if codes is not None:
        yield from _exit_codes(codes, f"{path}.onExitCodes", known)
    if len(conditions) > MOST_PATTERNS:
        yield too_many(f"{path}.onPodConditions", len(conditions), MOST_PATTERNS)
    yield from indexed(conditions, f"{path}.onPodConditions", _pattern)
    if codes is not None and conditions:
        yield wrong_as_a_whole(path, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        yield wrong_as_a_whole(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _pattern(pattern: Obj, path: str) -> Wrong:
    type = pattern.get("type", "")
    yield from each(names.qualified_name(type), f"{path}.type", type)
    yield from _one_of(pattern.get("status", ""), f"{path}.status", ("False", "True", "Unknown"))


def _one_of(word: str, path: str, known: Sequence[str]) -> Wrong:
    """A word that must be there, and one of *known*."""
    if not word:
        yield required(path, f"valid values: {_listed(known)}")
    else:
        yield from supported(path, word, known)


def _listed(words: Sequence[str]) -> str:
    """A list of texts as Go's %q prints it."""
    return "[" + " ".join(f'"{word}"' for word in words) + "]"


def _exit_codes(value: Obj, path: str, known: Sequence[str]) -> Wrong:
    operator, name, codes = value.get("operator", ""), value.get("containerName"), value.get("values") or []
    yield from _one_of(operator, f"{path}.operator", ("In", "NotIn"))
    if name is not None and name not in known:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", name, text)
    if not codes:
        yield invalid(f"{path}.values", value.get("values"), "at least one value is required")
    elif len(codes) > MOST_CODES:
        yield too_many(f"{path}.values", len(codes), MOST_CODES)
    for number, code in enumerate(codes):
        if operator == "In" and code == 0:
            yield invalid(f"{path}.values[{number}]", code, "must not be 0 for the In operator")
        if code in codes[:number]:
            yield duplicate(f"{path}.values[{number}]", code)
    if sorted(codes) != list(codes):
        yield invalid(f"{path}.values", codes, "must be ordered")


# -- what counts as success ----------------------------------------------------------------------------


def _success_policy(spec: Obj, path: str) -> Wrong:
    if spec.get("completionMode") != INDEXED:
        yield invalid(path, internal(spec["successPolicy"], "batch.SuccessPolicy"), PER_INDEX)
        return
    rules = spec["successPolicy"].get("rules") or ()
    if not rules:
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > MOST_RULES:
        yield too_many(f"{path}.rules", len(rules), MOST_RULES)
    for number, rule in enumerate(rules):
        yield from _success_rule(spec.get("completions") or 0, rule, f"{path}.rules[{number}]")


def _success_rule(completions: int, rule: Obj, path: str) -> Wrong:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        total, wrong = index_list(indexes, completions)
        if wrong:
            yield invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {wrong}")
    if count is None:
        return
    yield from not_negative(rule, path, "succeededCount")
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(f"{path}.succeededCount", count, text)
    if indexes is not None and count > total:
        what = "the number of indexes in the specified succeededIndexes field"
        yield invalid(f"{path}.succeededCount", count, f"must be less than or equal to {total} ({what})")


def index_list(text: str, completions: int) -> tuple[int, str]:
    """(how many indexes ``1,3-5`` names, what is wrong with it)."""
    last, total = -1, 0
    for part in text.split(",") if text else ():
        first, end, wrong = interval(part, completions)
        if wrong:
            return 0, wrong
        if total and last >= first:
            return 0, f"non-increasing order, previous: {last}, current: {first}"
        last, total = end, total + end - first + 1
    return total, ""


def interval(part: str, completions: int) -> tuple[int, int, str]:
    """(first, last, what is wrong) of ``3-5`` or ``3``. Models k/k pkg/apis/batch/validation parseIndexInterval"""
    ends = part.split("-")
    if len(ends) > 2:
        need = "violates the requirement that an index interval can have at most two parts separated by '-'"
        return 0, 0, f'the fragment "{part}" {need}'
    for end in ends:
        if not re.fullmatch("[+]?[0-9]+", end, re.ASCII):
            return 0, 0, f'cannot convert string to integer for index: "{end}"'
        if int(end) >= completions:
            return 0, 0, f'too large index: "{end}"'
    first, last = int(ends[0]), int(ends[-1])
    if len(ends) == 2 and first >= last:
        return 0, 0, f"non-increasing order, previous: {first}, current: {last}"
    return first, last, ""


def warnings(spec: Mapping[str, Any], path: str) -> list[str]:
    """Models k/k pkg/api/job WarningsForJobSpec"""
    many = (spec.get("completions") or 0) > SOFT_LIMIT and (spec.get("parallelism") or 0) > MOST_WITH_MANY
    if spec.get("completionMode") != INDEXED or not many:
        return []
    what = "a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able"
    return [f"{path}: In Indexed Jobs with {what} to track completedIndexes when a big number of indexes fail"]
