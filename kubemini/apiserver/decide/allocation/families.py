"""The families of a Service's addresses: what it is silent about, what does not go together, what may change. Pure.

    filled_in(spec, before, cluster)    the spec with ipFamilyPolicy and ipFamilies, or the complaints, alone
    related(spec)                       how clusterIP, clusterIPs and ipFamilies hang together
    changed(new, old)                   a primary address and family stay, a secondary may come and go

Invariant: only its owner's word turns a Service of one family into one of two, or back; a change of the cluster never.
Models k/k pkg/registry/core/service/storage Allocators.initIPFamilyFields isMatchingPreferDualStackClusterIPFields
Models k/k pkg/apis/core/validation ValidateServiceClusterIPsRelatedFields validateUpgradeDowngradeClusterIPs
Models k/k pkg/apis/core/validation validateUpgradeDowngradeIPFamilies
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.allocation.ranges import IPV4, IPV6, family
from kubemini.apiserver.rules import causes
from kubemini.apiserver.rules.causes import Wrong, duplicate, invalid, supported

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
POLICIES = (PREFER, REQUIRE, SINGLE)
HEADLESS, EXTERNAL = "None", "ExternalName"
IPS, FAMILIES, POLICY = "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"
SEVERAL = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
RELEASED = "must be 'SingleStack' to release the secondary {}"
RELEASING = "must be set to 'SingleStack' when releasing the secondary {}"
FIXED = "may not change once set"


def other(of_family: str) -> str:
    """The family that is not *of_family*."""
    return IPV6 if of_family == IPV4 else IPV4


def ips(spec: Obj) -> list[str]:
    """Its cluster IPs."""
    return list(spec.get("clusterIPs") or ())


def families(spec: Obj) -> list[str]:
    """Its families."""
    return list(spec.get("ipFamilies") or ())


def is_headless(spec: Obj) -> bool:
    """Whether it wants no address."""
    return ips(spec)[:1] == [HEADLESS]


def settled(spec: Obj, before: Obj | None) -> bool:
    """Whether a Service that prefers two families leaves its addresses as they are: then nothing of them is touched."""
    if before is None or spec.get("ipFamilyPolicy") != PREFER or before.get("ipFamilyPolicy", PREFER) != PREFER:
        return False
    same = all(spec.get(key) == before.get(key) for key in ("type", "clusterIPs", "ipFamilies"))
    return same and spec.get("type") != EXTERNAL


# -- what it is silent about -----------------------------------------------------------------------------


def filled_in(spec: Obj, before: Obj | None, cluster: Sequence[str]) -> "dict[str, Any] | list[FieldError]":
    """*spec* in the place of *before*, or what is wrong with it; *cluster*: the families there, the default first."""
    full = dict(spec)
    if spec.get("type") == EXTERNAL or settled(spec, before):
        return full
    full["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or _policy(spec, before)
    wrong = list(related(full)) or _narrowed(full, before) or _inferred(full, cluster)
    if wrong:
        return wrong
    if full.get("clusterIP") != HEADLESS or full.get("selector"):
        wrong = list(_configured(full, cluster))
        if wrong:
            return wrong
    full["ipFamilies"] = families(full) or [cluster[0]]
    anywhere = full.get("clusterIP") == HEADLESS and not full.get("selector")
    if full["ipFamilyPolicy"] != SINGLE and len(full["ipFamilies"]) == 1 and (anywhere or len(cluster) == 2):
        full["ipFamilies"] = [*full["ipFamilies"], other(full["ipFamilies"][0])]
    return full


def _policy(spec: Obj, before: Obj | None) -> str:
    """As it was; else one family, but for a headless Service without a selector: somebody else knows its endpoints."""
    kept = (before or {}).get("ipFamilyPolicy")
    return kept or (REQUIRE if spec.get("clusterIP") == HEADLESS and not spec.get("selector") else SINGLE)


def _narrowed(full: dict[str, Any], before: Obj | None) -> list[FieldError]:
    """SingleStack takes the secondary address and family away; nothing else does. Changes *full*."""
    policy, wrong = full["ipFamilyPolicy"], []
    fields = (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family"))
    for key, word in fields if before is not None else ():
        now, was = list(full.get(key) or ()), list((before or {}).get(key) or ())
        if policy == SINGLE and now == was and len(now) > 1:
            full[key] = now[:1]
        elif policy != SINGLE and now and len(now) < len(was):
            wrong.append(invalid(POLICY, policy, RELEASED.format(word)))
    several = (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
    for key, word in several if policy == SINGLE else ():
        if len(full.get(key) or ()) == 2:
            wrong.append(invalid(POLICY, policy, SEVERAL.format(word)))
    return wrong


def _inferred(full: dict[str, Any], cluster: Sequence[str]) -> list[FieldError]:
    """Its families, as far as its addresses tell them. Changes *full*."""
    wrong, known = [], families(full)
    for number, ip in enumerate(ips(full)):
        if ip != HEADLESS and number >= len(known):
            if family(ip) not in cluster:
                text = f"{family(ip)} is not configured on this cluster"
                wrong.append(invalid(f"{IPS}[{number}]", ips(full), text))
            known.append(family(ip))
    if known:
        full["ipFamilies"] = known
    return wrong


def _configured(full: Obj, cluster: Sequence[str]) -> Wrong:
    if full["ipFamilyPolicy"] == REQUIRE and len(cluster) < 2:
        yield invalid(POLICY, REQUIRE, "this cluster is not configured for dual-stack services")
    for number, wanted in enumerate(families(full)):
        if wanted not in cluster:
            yield invalid(f"{FAMILIES}[{number}]", wanted, "not configured on this cluster")


# -- what does not go together ---------------------------------------------------------------------------


def related(spec: Obj) -> Wrong:
    """Every complaint about addresses, families and policy of a Service that has some."""
    first, several, known = spec.get("clusterIP") or "", ips(spec), families(spec)
    if first and not several:
        yield causes.required(IPS)
    elif first and several[0] != first:
        yield invalid(IPS, several, "first value must match `clusterIP`")
    elif several and not first:
        yield invalid(IPS, several, "must be empty when `clusterIP` is not specified")
    for number, said in enumerate(known):
        yield from supported(f"{FAMILIES}[{number}]", said, (IPV4, IPV6))
        if said in known[:number]:
            yield duplicate(f"{FAMILIES}[{number}]", said)
    if spec.get("ipFamilyPolicy") is not None:
        yield from supported(POLICY, spec["ipFamilyPolicy"], POLICIES)
    wrong = list(_well_formed(several))
    yield from wrong
    if len(several) > 2:
        yield invalid(IPS, several, "may only hold up to 2 values")
    if wrong:
        return
    if len(several) > 1 == len({family(ip) for ip in several}):
        yield invalid(IPS, several, "may specify no more than one IP for each IP family")
    for number, (ip, wanted) in enumerate(zip(several, known, strict=False)):
        if not is_headless(spec) and wanted in (IPV4, IPV6) and family(ip) != wanted:
            text = f"expected an {wanted} value as indicated by `ipFamilies[{number}]`"
            yield invalid(f"{IPS}[{number}]", ip, text)


def _well_formed(several: Sequence[str]) -> Wrong:
    for number, ip in enumerate(several):
        if number == 0 and ip == HEADLESS:
            if len(several) > 1:
                yield invalid(IPS, several, "'None' must be the first and only value")
        else:
            yield from causes.ip(ip, f"{IPS}[{number}]")


# -- what may change -------------------------------------------------------------------------------------


def changed(new: Obj, old: Obj) -> Wrong:
    """Every complaint about the addresses and families of a Service that takes the place of another."""
    if EXTERNAL in (new.get("type"), old.get("type")):
        return
    if not (is_headless(new) and is_headless(old)):
        yield from _addresses_changed(new, old)
    if not (is_headless(new) or is_headless(old)):
        yield from _families_changed(new, old)


def _addresses_changed(new: Obj, old: Obj) -> Wrong:
    now, was = ips(new), ips(old)
    if len(now) == len(was):
        for number, (said, before) in enumerate(zip(now, was, strict=True)):
            if said != before:
                yield invalid(f"{IPS}[{number}]", now, FIXED)
        return
    if was and not now:
        yield invalid(f"{IPS}[0]", now or None, "primary clusterIP can not be unset")
    elif was and now[0] != was[0]:
        yield invalid(f"{IPS}[0]", now, FIXED)
    if len(now) == 1 < len(was) and new.get("ipFamilyPolicy") != SINGLE:
        yield invalid(POLICY, new.get("ipFamilyPolicy"), RELEASING.format("clusterIP"))


def _families_changed(new: Obj, old: Obj) -> Wrong:
    now, was = families(new), families(old)
    if len(now) == len(was):
        for said, before in zip(now, was, strict=True):
            if said != before:
                yield invalid(f"{FAMILIES}[0]", now, FIXED)
        return
    if len(now) < len(was) and not ips(new):
        yield invalid(f"{FAMILIES}[0]", now, "primary ipFamily can not be unset")
    if was and now and now[0] != was[0]:
        yield invalid(f"{FAMILIES}[0]", ips(new), FIXED)
    if len(now) == 1 < len(was) and new.get("ipFamilyPolicy") != SINGLE:
        yield invalid(POLICY, new.get("ipFamilyPolicy"), RELEASING.format("ipFamily"))
