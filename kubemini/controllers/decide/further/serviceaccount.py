"""ServiceAccounts controller: every namespace has an account called ``default``, so that its pods have a name.

Models k/k pkg/controller/serviceaccount ServiceAccountsController.syncNamespace
"""

from kubemini.api.kinds import KNOWN, NAMESPACE
from kubemini.api.objects import Obj, freeze, get
from kubemini.controllers.decide.actions import Create, Plan
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch

ACCOUNT = KNOWN["v1", "ServiceAccount"]
DEFAULT = "default"


def decide(namespace: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Make the account that is not there."""
    name = namespace["metadata"]["name"]
    if get(namespace, "status", "phase") != "Active" or facts.get(ACCOUNT, (name, DEFAULT)) is not None:
        return Plan()
    meta = {"name": DEFAULT, "namespace": name}
    return Plan((Create(freeze({"apiVersion": "v1", "kind": ACCOUNT.kind, "metadata": meta})),))


def of_account(account: Obj, facts: Facts) -> list[Key]:
    """Its namespace, if it is one that must be there."""
    meta = account["metadata"]
    return [("", meta["namespace"])] if meta["name"] == DEFAULT else []


CONTROLLER = Controller(NAMESPACE, decide, (Watch(ACCOUNT, of_account),))
