"""Random objects by the published schema: mostly of the right types, sometimes not, with values that people write."""

from kubemini.api import schema
from kubemini.api.schema import custom

TEXTS = [
    "",
    "a",
    "web",
    "A_B",
    "10.0.0.1",
    "fd00::1",
    "banana",
    "x" * 64,
    "25%",
    "5s",
    "0",
    "-1",
    "é",
    "a/b",
    "default",
]
KNOWN = {
    "operator": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal", "Is", ""],
    "effect": ["NoSchedule", "PreferNoSchedule", "NoExecute", "", "NoWay"],
    "whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway", "Never"],
    "type": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "RollingUpdate", "Recreate", "Ready", "Opaque"],
    "protocol": ["TCP", "UDP", "SCTP", "X"],
    "restartPolicy": ["Always", "Never", "OnFailure", "No"],
    "clusterIP": ["None", "10.96.0.9", "banana", ""],
    "status": ["True", "False", "Unknown", ""],
    "addressType": ["IPv4", "IPv6", "FQDN", "Odd"],
    "replicas": [0, 1, 3, -1],  # what a cluster of two workers can run
    "topologyKey": ["kubernetes.io/hostname", "topology.kubernetes.io/zone", ""],
}
KEYS = dict.fromkeys(("app", "cpu", "memory", "a b", "kubemini.io/exit-after", "x/y")).keys()  # of maps
AMOUNTS = ["100m", "1", "64Mi", "0.5", 2, "-1", "lots", "1e3", "1e600"]
LEAVES = {
    "bool": [True, False],
    "int32": [0, 1, 3, -1, 80, 30001, 70000, 2**31 - 1, 2**31],
    "int64": [0, 1, 30, -5, 2**62],
    "number": [0.5, 1],
    "quantity": AMOUNTS,
    "int-or-string": [0, 1, 80, "25%", "http", "A_B", -1, 70000],
    "time": ["2026-01-01T00:00:00Z", "soon"],
    "microtime": ["2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00Z"],
    "bytes": ["YQ==", "!"],
    "object": [{}, {"f:a": {}}],
    "json": [{}, 1, "x"],
}
STRANGE = [None, 7, "x", [], {}, True, [None], {"a": None}, 1.5]


def make(rng, type, name="", deep=0, strange=0.01):
    """A value of *type*, or sometimes of none."""
    if rng.random() < strange:
        return rng.choice(STRANGE)
    if type == "string" or (name in KNOWN and type in LEAVES):
        return rng.choice(KNOWN.get(name, TEXTS))
    if type in LEAVES:
        return rng.choice(LEAVES[type])
    if type.startswith("[]"):
        return [make(rng, schema.item(type), name, deep + 1, strange) for _ in range(rng.choice([0, 1, 1, 2]))]
    if type.startswith("{}"):
        keys = rng.sample([*KEYS], rng.choice([0, 1, 2]))
        return {key: make(rng, schema.item(type), key, deep + 1, strange) for key in keys}
    return struct(rng, schema.definition(type), deep, strange)


def struct(rng, definition, deep, strange):
    """Some of its fields; fewer, the deeper it lies."""
    likely = 0.9 if deep < 3 else 0.35 if deep < 7 else 0.1
    return {
        field.name: make(rng, field.type, field.name, deep + 1, strange)
        for field in definition.fields.values()
        if (field.required and rng.random() < 0.9) or rng.random() < likely * 0.5
    }


def structural(rng, node, name, deep, strange):
    """A value of a structural schema: often one of those that it lists, or its default."""
    if deep and rng.random() < strange:
        return rng.choice(STRANGE)
    if node.get("type") == "object":
        likely = 0.9 if deep < 4 else 0.35
        return {
            key: structural(rng, inner, key, deep + 1, strange)
            for key, inner in node.get("properties", {}).items()
            if rng.random() < (0.95 if key in node.get("required", ()) else likely * 0.5)
        }
    if node.get("type") == "array":
        return [structural(rng, node["items"], name, deep + 1, strange) for _ in range(rng.choice([0, 1, 1, 2]))]
    if "enum" in node and rng.random() < 0.9:
        return rng.choice(node["enum"])
    return make(rng, {"integer": "int32", "boolean": "bool"}.get(node.get("type"), "string"), name, deep, strange)


def objects(rng, kind, name, strange=0.01):
    """One object of *kind*, called *name*; pods and templates that could be taken have a container."""
    definition, crd = schema.of_kind(kind.api_version, kind.kind), custom.of(kind.api_version, kind.kind)
    obj = struct(rng, definition, 0, strange) if definition else structural(rng, crd, "", 0, strange)
    obj |= {"apiVersion": kind.api_version, "kind": kind.kind}
    meta = obj["metadata"] if isinstance(obj.get("metadata"), dict) and rng.random() < 0.3 else {}
    obj["metadata"] = {**meta, "name": name}
    obj["metadata"].pop("namespace", None)
    return obj


CONTAINER = {"name": "c", "image": "i"}
BASES = {  # what is good, so that a change of it has a chance to be taken
    "Pod": {"containers": [CONTAINER]},
    "Service": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    "Deployment": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}},
    },
    "Node": {},
    "Lease": {},
}
BASES["ReplicaSet"] = BASES["Deployment"]


def nearly_good(rng, kind, name):
    """A good object of *kind* with a few random fields, often in its pod or container."""
    spec = {**BASES[kind.kind]}
    obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "spec": spec}
    places = [(spec, f"core.v1.{kind.kind}Spec")]
    if kind.kind in ("Deployment", "ReplicaSet"):
        pod = {"containers": [dict(CONTAINER)]}
        spec["template"] = {**spec["template"], "spec": pod}
        places = [(spec, f"apps.v1.{kind.kind}Spec"), *[(pod, "core.v1.PodSpec")] * 3]
        places.append((pod["containers"][0], "core.v1.Container"))
    elif kind.kind == "Pod":
        spec["containers"] = [dict(CONTAINER)]
        places += [(spec["containers"][0], "core.v1.Container"), (spec, "core.v1.PodSpec")]
    elif kind.kind == "Lease":
        places = [(spec, "coordination.v1.LeaseSpec")]
    for _ in range(rng.choice([0, 1, 1, 2])):
        where, type = rng.choice(places)
        field = rng.choice(list(schema.definition(type).fields.values()))
        where[field.name] = make(rng, field.type, field.name, 4, 0.0)
    return obj
