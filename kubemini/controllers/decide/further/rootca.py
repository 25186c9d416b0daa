"""Root CA publisher: every namespace has the certificate by which a pod knows its API server.

Models k/k pkg/controller/certificates/rootcacertpublisher Publisher.syncNamespace
"""

from kubemini.api.kinds import CONFIG_MAP, NAMESPACE
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.controllers.decide.actions import Create, Plan, Update
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch

NAME, FIELD = "kube-root-ca.crt", "ca.crt"
NOTE = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
    "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
}


def publisher(certificate: str) -> Controller:
    """The controller that publishes *certificate* (PEM)."""

    def decide(namespace: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
        name = namespace["metadata"]["name"]
        if get(namespace, "status", "phase") != "Active":
            return Plan()
        found = facts.get(CONFIG_MAP, (name, NAME))
        if found is None:
            meta = {"name": NAME, "namespace": name, "annotations": NOTE}
            named = {"apiVersion": "v1", "kind": CONFIG_MAP.kind, "metadata": meta}
            return Plan((Create(freeze({**named, "data": {FIELD: certificate}})),))
        if get(found, "data") == {FIELD: certificate} and get(found, "metadata", "annotations") == NOTE:
            return Plan()
        mended = evolve(found, ("data",), {FIELD: certificate})
        return Plan((Update(evolve(mended, ("metadata", "annotations"), NOTE)),))

    return Controller(NAMESPACE, decide, (Watch(CONFIG_MAP, of_config_map),))


def of_config_map(config: Obj, facts: Facts) -> list[Key]:
    """Its namespace, if it is the one that is published."""
    meta = config["metadata"]
    return [("", meta["namespace"])] if meta["name"] == NAME else []
