"""ClusterRole aggregation: a role with an aggregation rule holds the rules of all roles that it selects, by name.

Models k/k pkg/controller/clusterroleaggregation ClusterRoleAggregationController.syncClusterRole
Simplified: the rules are put, not applied.
"""

from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import Plan, Update
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of

ROLE = KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]


def decide(role: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Its rules, if they are others now."""
    if role.get("aggregationRule") is None:
        return Plan()
    wanted = gathered(role, facts.of_namespace(ROLE, ""))
    return Plan() if wanted == (role.get("rules") or []) else Plan((Update(evolve(role, ("rules",), wanted)),))


def gathered(role: Obj, roles: list[Obj]) -> list[Any]:
    """The rules of all that *role* selects, each once: selector by selector, role by role."""
    found: list[Any] = []
    for selector in get(role, "aggregationRule", "clusterRoleSelectors") or ():
        for other in sorted(roles, key=lambda one: one["metadata"]["name"]):
            its = get(other, "metadata", "labels") or {}
            if other["metadata"]["name"] != role["metadata"]["name"] and labels.matches(selector, its):
                found += [rule for rule in other.get("rules") or () if rule not in found]
    return found


def gathering(role: Obj, facts: Facts) -> list[Key]:
    """All that gather: any role may be theirs."""
    return [key_of(other) for other in facts.of_namespace(ROLE, "") if other.get("aggregationRule") is not None]


USER = "system:serviceaccount:kube-system:clusterrole-aggregation-controller"  # which may give more than it has
CONTROLLER = Controller(ROLE, decide, (Watch(ROLE, gathering),), user=USER)
