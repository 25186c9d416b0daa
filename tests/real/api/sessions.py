"""Random sessions: what two clients might do to a few objects, in a namespace of their own. Pure, from a seed.

Bodies are good ones with a few random fields, of the right types mostly, so that some are taken and some refused.
"""

import copy
import json

from kubemini.api import kinds, schema
from tests.apiserver.kinds.random_objects import KEYS, make

CONTAINER = {"name": "c", "image": "i"}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}}
SELECTED = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
ONCE = {"template": {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}}
PORT = {"name": "web", "port": {"number": 80}}
BASES = {  # of each kind one that is good
    ("v1", "ConfigMap"): {"data": {"a": "1"}},
    ("v1", "Secret"): {"data": {"a": "YQ=="}},
    ("v1", "Service"): {"spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}},
    ("v1", "Pod"): {"spec": {"containers": [CONTAINER], "serviceAccountName": "default"}},
    ("v1", "PersistentVolumeClaim"): {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    ("v1", "ReplicationController"): {"spec": {"selector": {"app": "web"}, "template": TEMPLATE}},
    ("v1", "ServiceAccount"): {},
    ("v1", "PodTemplate"): {"template": TEMPLATE},
    ("v1", "Endpoints"): {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    ("apps/v1", "Deployment"): {"spec": SELECTED},
    ("apps/v1", "ReplicaSet"): {"spec": SELECTED},
    ("apps/v1", "StatefulSet"): {"spec": {**SELECTED, "serviceName": "s"}},
    ("apps/v1", "DaemonSet"): {"spec": SELECTED},
    ("batch/v1", "Job"): {"spec": ONCE},
    ("batch/v1", "CronJob"): {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": ONCE}}},
    ("policy/v1", "PodDisruptionBudget"): {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}},
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}
    },
    ("networking.k8s.io/v1", "Ingress"): {"spec": {"defaultBackend": {"service": PORT}}},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}},
    ("discovery.k8s.io/v1", "EndpointSlice"): {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"]}],
        "ports": [{"name": "", "port": 80}],
    },
    ("coordination.k8s.io/v1", "Lease"): {"spec": {"holderIdentity": "me"}},
    ("rbac.authorization.k8s.io/v1", "Role"): {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
}
ROOT = ("apiVersion", "kind", "metadata", "status")
NOT_CHANGED = {"core.v1.PodSpec": ("resources",)}  # what a pod as a whole asks for is not judged
FIELDS_OF_META = ("labels", "annotations", "finalizers")
PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
}
DEEDS = ("create", "create", "get", "update", "patch", "patch", "apply", "apply", "list", "table", "delete")


class Made:
    """A session as it grows."""

    def __init__(self, rng, name):
        self.rng, self.home, self.steps = rng, name, []
        self.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        self.ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", account)

    def ask(self, method, path, body=None, **headers):
        """One request more."""
        step = {"method": method, "path": path} | ({} if body is None else {"body": body})
        self.steps.append(step | ({"headers": headers} if headers else {}))


def session(rng, name):
    """Eight requests or so, about one or two objects of one or two kinds.

    Without what only our server knows (an annotation that ends a container) and what it takes for an attack (1e600).
    """
    made = Made(rng, name)
    objects = [(rng.choice(list(BASES)), one) for one in ("one", "two")[: rng.choice((1, 1, 2))]]
    for number in range(rng.randint(3, 9)):
        key, called = rng.choice(objects)
        _do(made, rng.choice(DEEDS) if number else rng.choice(("create", "apply")), key, called)
    text = json.dumps(_narrow(made.steps)).replace("kubemini.io/exit-after", "example.io/after").replace("1e600", "1E")
    whole = {"area": "chance", "name": name, "managed_fields": rng.random() < 0.5, "needs": ["api"]}
    return whole | {"steps": json.loads(text)}


def _narrow(value):
    """*value*, with one key in each map of random keys: Go walks maps in no order, and complains in that order."""
    if isinstance(value, list):
        return [_narrow(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = [*value][:1] if value.keys() <= KEYS else value
    return {key: _narrow(value[key]) for key in kept}


def _do(made, deed, key, called):
    kind = kinds.KNOWN[key]
    prefix = "/api/v1" if kind.api_version == "v1" else f"/apis/{kind.api_version}"
    place = f"{prefix}/namespaces/{made.home}/{kind.plural}"
    one, rng = f"{place}/{called}", made.rng
    match deed:
        case "create":
            made.ask("POST", f"{place}{query(rng)}", body(rng, key, called))
        case "update":
            made.ask("PUT", f"{one}{query(rng)}", body(rng, key, called))
        case "get":
            made.ask("GET", one)
        case "patch":
            style = rng.choice(list(PATCHES))
            text = operations(rng, key) if style == "json" else fragment(rng, key, called)
            made.ask("PATCH", one, text, **{"Content-Type": PATCHES[style]})
        case "apply":
            manager, force = rng.choice(("a", "b")), rng.choice(("", "&force=true"))
            config = fragment(rng, key, called) if rng.random() < 0.5 else body(rng, key, called)
            config = {**config, "apiVersion": kind.api_version, "kind": kind.kind}
            path = f"{one}?fieldManager={manager}{force}"
            made.ask("PATCH", path, config, **{"Content-Type": "application/apply-patch+yaml"})
        case "list":
            selector = rng.choice(("", "?labelSelector=app%3Dweb", "?labelSelector=app", "?limit=1"))
            made.ask("GET", f"{place}{selector}")
        case "table":
            made.ask("GET", place, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        case "delete":
            how = rng.choice(
                ("", "?propagationPolicy=Orphan", "?propagationPolicy=Foreground", "?gracePeriodSeconds=0")
            )
            made.ask("DELETE", f"{one}{how}")


def query(rng):
    """What stands behind a write's path."""
    return rng.choice(("", "", "", "?dryRun=All", "?fieldValidation=Strict", "?fieldManager=me"))


def body(rng, key, called):
    """A good object with none to three random fields."""
    api_version, kind = key
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": called, "labels": {"app": "web"}}}
    obj |= copy.deepcopy(BASES[key])
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        change(rng, obj, schema.of_kind(api_version, kind))
    return obj


def change(rng, value, definition, deep=0):
    """Give one field of *value*, or of what lies in it, another value."""
    there = [field for field in definition.fields.values() if isinstance(value.get(field.name), dict | list)]
    if there and rng.random() < 0.75:
        field = rng.choice(there)
        inner, type = value[field.name], field.type
        if isinstance(inner, list) and inner and isinstance(inner[0], dict) and type.startswith("[]"):
            inner, type = inner[0], schema.item(type)
        if isinstance(inner, dict) and inner is not value and type.partition(".")[2] and not type.startswith("{}"):
            change(rng, inner, schema.definition(type), deep + 1)
            return
    fields = [one for one in definition.fields.values() if one.name not in NOT_CHANGED.get(definition.name, ROOT)]
    if definition.name == "meta.v1.ObjectMeta":
        fields = [definition.fields[name] for name in FIELDS_OF_META]
    if fields:
        field = rng.choice(fields)
        value[field.name] = make(rng, field.type, field.name, 6 + deep, 0.02)


def fragment(rng, key, called):
    """Part of an object: what a random change of a good one gives, where it lies."""
    before, after = copy.deepcopy(BASES[key]), {"metadata": {"name": called}, **copy.deepcopy(BASES[key])}
    for _ in range(rng.choice((1, 1, 2))):
        change(rng, after, schema.of_kind(*key))
    part = {field: item for field, item in after.items() if item != before.get(field)}
    if rng.random() < 0.2:
        part.setdefault("metadata", {})["labels"] = rng.choice(({"app": None}, {"app": "x"}, {"tier": "t"}))
    return part


def operations(rng, key):
    """A JSON patch of one or two operations."""
    after = copy.deepcopy(BASES[key])
    change(rng, after, schema.of_kind(*key))
    good = [{"op": "add", "path": f"/{field}", "value": item} for field, item in after.items()]
    odd = [
        {"op": "test", "path": "/metadata/name", "value": rng.choice(("one", "none"))},
        {"op": "remove", "path": rng.choice(("/metadata/labels", "/spec", "/metadata/labels/nope"))},
        {"op": "replace", "path": "/metadata/labels", "value": {"app": "other"}},
        {"op": "copy", "from": "/metadata/labels", "path": "/metadata/annotations"},
    ]
    return rng.sample([*good, *odd], rng.choice((1, 1, 2)))
