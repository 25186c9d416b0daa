"""An audit policy (--audit-policy-file): the first rule that fits a request says how much is told of it. Pure.

    None  <  Metadata  <  Request (and what was sent)  <  RequestResponse (and what was answered)

Invariant: who is told of and who is not is settled when the request comes in, by its URL and its user alone; a request
that no rule fits is not told.
Models k/apiserver pkg/audit/policy LoadPolicyFromBytes, policyRuleEvaluator.EvaluatePolicyRule ruleMatches;
k/apiserver pkg/apis/audit/validation ValidatePolicy.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubemini.api.errors import FieldError
from kubemini.api.objects import freeze
from kubemini.apiserver.decide.access.attributes import Attributes
from kubemini.apiserver.rules.causes import Wrong, invalid, required, unsupported

API_VERSION = "audit.k8s.io/v1"
NONE, METADATA, REQUEST, RESPONSE = LEVELS = ("None", "Metadata", "Request", "RequestResponse")
RECEIVED, STARTED, COMPLETE, PANIC = STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
BOTH = "rules cannot apply to both regular resources and non-resource URLs"
Policy = Mapping[str, Any]


class Config(NamedTuple):
    """What is told of a request. *terse*: without managed fields."""

    level: str
    omitted: frozenset[str] = frozenset()
    terse: bool = False


def read(said: Any) -> Policy:
    """The policy in a document. Raises ValueError that says what is wrong with it, in the words of the real one."""
    if not isinstance(said, Mapping) or (said.get("apiVersion"), said.get("kind")) != (API_VERSION, "Policy"):
        raise ValueError(f"an audit policy says apiVersion: {API_VERSION} and kind: Policy, and has rules")
    wrong = [one.message for one in _wrong(said)]
    if wrong:
        raise ValueError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")
    if not said.get("rules"):
        raise ValueError("loaded illegal policy with 0 rules")
    return freeze(said)


def evaluate(policy: Policy, asked: Attributes) -> Config:
    """What *policy* wants to hear of a request."""
    omitted, terse = policy.get("omitStages") or (), bool(policy.get("omitManagedFields"))
    for rule in policy["rules"]:
        if _fits(rule, asked):
            own = rule.get("omitManagedFields")
            every = frozenset((*omitted, *(rule.get("omitStages") or ())))
            return Config(rule["level"], every, terse if own is None else bool(own))
    return Config(NONE)


# -- does a rule fit? --------------------------------------------------------------------------------------------------


def _fits(rule: Mapping[str, Any], asked: Attributes) -> bool:
    users, groups, verbs = (rule.get(part) or () for part in ("users", "userGroups", "verbs"))
    if (users and asked.user.name not in users) or (groups and not set(groups) & set(asked.user.groups)):
        return False
    if verbs and asked.verb not in verbs:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return asked.is_resource and _fits_resource(rule, asked)
    if rule.get("nonResourceURLs"):
        return not asked.is_resource and any(_fits_path(asked.path, one) for one in rule["nonResourceURLs"])
    return True


def _fits_path(path: str, wanted: str) -> bool:
    return wanted in ("*", path) or (wanted.endswith("*") and path.startswith(wanted.rstrip("*")))


def _fits_resource(rule: Mapping[str, Any], asked: Attributes) -> bool:
    if rule.get("namespaces") and asked.namespace not in rule["namespaces"]:
        return False
    resources = rule.get("resources") or ()
    return not resources or any(_fits_group(one, asked) for one in resources)


def _fits_group(wanted: Mapping[str, Any], asked: Attributes) -> bool:
    if wanted.get("group", "") not in (asked.group, "*"):
        return False
    if not wanted.get("resources"):
        return True
    if wanted.get("resourceNames") and asked.name not in wanted["resourceNames"]:
        return False
    whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    fitting = {"*", whole, f"{asked.resource}/*"} | ({f"*/{asked.subresource}"} if asked.subresource else set())
    return any(one in fitting for one in wanted["resources"])


# -- is it a policy? ---------------------------------------------------------------------------------------------------


def _wrong(policy: Policy) -> Wrong:
    yield from _stages(policy, "omitStages")
    for place, rule in enumerate(policy.get("rules") or ()):
        yield from _rule(rule, f"rules[{place}]")


def _rule(rule: Mapping[str, Any], at: str) -> Wrong:
    level = rule.get("level") or ""
    if not level:
        yield required(f"{at}.level")
    elif level not in LEVELS:
        yield unsupported(f"{at}.level", level, LEVELS)
    urls = rule.get("nonResourceURLs") or ()
    for place, url in enumerate(urls):
        if url != "*" and not url.startswith("/"):
            yield invalid(
                f"{at}.nonResourceURLs[{place}]", url, "non-resource URL rules must begin with a '/' character"
            )
        if url != "*" and "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            yield invalid(f"{at}.nonResourceURLs[{place}]", url, why)
    for one in rule.get("resources") or ():
        if one.get("resourceNames") and not one.get("resources"):
            why = "using resourceNames requires at least one resource"
            yield invalid(f"{at}.resources.resourceNames", [*one["resourceNames"]], why)
    yield from _stages(rule, f"{at}.omitStages")
    if urls and (rule.get("resources") or rule.get("namespaces")):
        yield invalid(f"{at}.nonResourceURLs", [*urls], BOTH)


def _stages(said: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    for place, stage in enumerate(said.get("omitStages") or ()):
        if stage not in STAGES:
            yield invalid(f"{at}[{place}]", stage, f"allowed stages are {','.join(STAGES)}")
