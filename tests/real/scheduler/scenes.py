"""Random clusters with a pod to be placed: nodes of all sizes, taints, affinities, spreads, ports and budgets."""

APPS, TIERS, ZONES = ("web", "api", "db"), ("front", "back"), ("a", "b", "c")
SPACES = {"default": {"env": "prod"}, "lab": {"env": "test"}}
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
KEYS, EFFECTS = ("only", "old"), ("NoSchedule", "PreferNoSchedule", "NoExecute")
IMAGES = {"registry.example/app:1": 40, "registry.example/big:2": 900, "registry.example/huge:3": 2600}  # MiB
PRIORITIES = (0, 0, 0, 100, 1000)
MI = 1024 * 1024
START = "2026-01-01T{:02}:{:02}:00Z"


def scene(luck):
    """What the judge is told: lists of objects by what they are, and the *pod* that is to be placed."""
    nodes = [node(luck, number) for number in range(luck.choice((*range(1, 13), 40)))]
    names = [one["metadata"]["name"] for one in nodes]
    pods = [running(luck, number, luck.choice(names)) for number in range(luck.choice((0, 4, 12, 30, 60)))]
    pod = pending(luck)
    if luck.random() < 0.15:
        pods.append(waiting(luck, luck.choice(names)))
    return {
        "nodes": nodes,
        "pods": pods,
        "pod": pod,
        "namespaces": [named(name, labels=labels) for name, labels in SPACES.items()],
        "services": owners(luck, 0.3, "svc", {"selector": {"app": luck.choice(APPS)}}),
        "sets": owners(luck, 0.3, "set", {"selector": {"matchLabels": {"app": luck.choice(APPS)}}}),
        "budgets": [budget(luck, number) for number in range(luck.choice((0, 0, 1, 2)))],
        **storage(luck, pods, pod, names),
    }


def named(name, namespace=None, **more):
    """An object with only that metadata."""
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **more}}


def maybe(luck, chance, **fields):
    """Those fields, or nothing."""
    return fields if luck.random() < chance else {}


# -- nodes -------------------------------------------------------------------------------------------------------------
def node(luck, number):
    """One of them."""
    name = f"n{number:02}"
    labels = {HOSTNAME: name, **maybe(luck, 0.85, **{ZONE: luck.choice(ZONES)})}
    labels |= maybe(luck, 0.5, disk=luck.choice(("ssd", "hdd"))) | maybe(luck, 0.5, rank=str(luck.randint(1, 9)))
    taints = [taint(luck) for _ in range(luck.choice((0, 0, 0, 1, 2)))]
    sizes = {"cpu": f"{luck.choice((1, 2, 4, 7, 16))}", "memory": f"{luck.choice((1, 2, 3, 8, 32))}Gi"}
    sizes |= {"pods": str(luck.choice((3, 8, 110, 110))), "ephemeral-storage": f"{luck.choice((5, 50))}Gi"}
    sizes |= maybe(luck, 0.2, **{"example.com/gpu": str(luck.randint(1, 3))})
    images = [{"names": [image], "sizeBytes": size * MI} for image, size in IMAGES.items() if luck.random() < 0.3]
    spec = {**({"taints": taints} if taints else {}), **maybe(luck, 0.1, unschedulable=True)}
    status = {"allocatable": sizes, "capacity": sizes, **({"images": images} if images else {})}
    return {**named(name, labels=labels), "spec": spec, "status": status}


def taint(luck):
    """One of a few."""
    return {"key": luck.choice(KEYS), "value": luck.choice(("x", "y")), "effect": luck.choice(EFFECTS)}


# -- pods --------------------------------------------------------------------------------------------------------------
def running(luck, number, on):
    """A pod that is there."""
    hour, minute = divmod(luck.randint(0, 600), 60)
    made = pod(luck, f"p{number:02}", 0.15)
    made["spec"] |= {"nodeName": on, "priority": luck.choice(PRIORITIES)}
    made["metadata"] |= maybe(luck, 0.06, deletionTimestamp="2026-01-02T00:00:00Z")
    return {**made, "status": {"phase": "Running", "startTime": START.format(hour, minute)}}


def waiting(luck, on):
    """One that was promised a node and waits for it."""
    made = pod(luck, "waits", 0.15)
    made["spec"]["priority"] = luck.choice((0, 1000, 6000))
    return {**made, "status": {"phase": "Pending", "nominatedNodeName": on}}


def pending(luck):
    """The pod that is to be placed."""
    made = pod(luck, "asked", 0.45)
    spec = made["spec"]
    spec |= {"priority": luck.choice((*PRIORITIES, 500, 5000, 5000))} | maybe(luck, 0.1, preemptionPolicy="Never")
    spec |= maybe(luck, 0.2, nodeSelector={luck.choice(("disk", ZONE)): luck.choice(("ssd", "a", "b"))})
    if found := node_affinity(luck):
        spec.setdefault("affinity", {})["nodeAffinity"] = found
    tolerations = [toleration(luck) for _ in range(luck.choice((0, 0, 1, 2)))]
    spec |= {"tolerations": tolerations} if tolerations else {}
    spread = [constraint(luck, place) for place in luck.sample((ZONE, HOSTNAME, "rank"), luck.choice((0, 0, 0, 1, 2)))]
    spec |= {"topologySpreadConstraints": spread} if spread else {}
    made["status"] = {"phase": "Pending"}
    return made


def pod(luck, name, affine):
    """A pod with labels, requests and, by a chance of *affine* each, what it wants near it and far from it."""
    labels = {"app": luck.choice(APPS), **maybe(luck, 0.6, tier=luck.choice(TIERS))}
    namespace = luck.choice(list(SPACES))
    containers = [container(luck, f"c{number}") for number in range(luck.choice((1, 1, 2)))]
    spec = {"schedulerName": "default-scheduler", "containers": containers}
    if luck.random() < 0.15:
        first = container(luck, "init")
        spec["initContainers"] = [first | maybe(luck, 0.5, restartPolicy="Always")]
    spec |= maybe(luck, 0.1, overhead={"cpu": "250m", "memory": "120Mi"})
    near, far = (terms(luck) if luck.random() < affine else {} for _ in range(2))
    affinity = {**({"podAffinity": near} if near else {}), **({"podAntiAffinity": far} if far else {})}
    spec |= {"affinity": affinity} if affinity else {}
    return {**named(name, namespace, uid=f"uid-of-{name}", labels=labels), "spec": spec}


def container(luck, name):
    """One container."""
    asked = maybe(luck, 0.8, cpu=f"{luck.choice((50, 100, 333, 500, 1500))}m")
    asked |= maybe(luck, 0.8, memory=f"{luck.choice((64, 200, 700, 1500))}Mi")
    asked |= maybe(luck, 0.1, **{"ephemeral-storage": "2Gi"}) | maybe(luck, 0.07, **{"example.com/gpu": "1"})
    made = {"name": name, "image": luck.choice(list(IMAGES)), **({"resources": {"requests": asked}} if asked else {})}
    if luck.random() < 0.12:
        port = {"containerPort": 80, "hostPort": luck.choice((8080, 8081)), "protocol": luck.choice(("TCP", "UDP"))}
        made["ports"] = [port | maybe(luck, 0.4, hostIP=luck.choice(("10.0.0.1", "0.0.0.0")))]
    return made


def toleration(luck):
    """Of one of those taints, or of more."""
    key, effect = luck.choice(KEYS), maybe(luck, 0.7, effect=luck.choice(EFFECTS))
    how = luck.choice(({"operator": "Exists"}, {"operator": "Equal", "value": luck.choice(("x", "y"))}))
    return {"key": key, **how, **effect} if luck.random() < 0.9 else {"operator": "Exists"}


# -- what a pod wants --------------------------------------------------------------------------------------------------
def node_affinity(luck):
    """Of nodes: must, would like, both or neither."""
    found = {}
    if luck.random() < 0.2:
        found["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "nodeSelectorTerms": [{"matchExpressions": [of_node(luck)]} for _ in range(luck.randint(1, 2))]
        }
    if luck.random() < 0.3:
        found["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": luck.randint(1, 100), "preference": {"matchExpressions": [of_node(luck)]}}
            for _ in range(luck.randint(1, 2))
        ]
    return found


def of_node(luck):
    """A requirement on a node's labels."""
    return luck.choice(
        (
            {"key": "disk", "operator": luck.choice(("In", "NotIn")), "values": ["ssd"]},
            {"key": "rank", "operator": luck.choice(("Gt", "Lt")), "values": [str(luck.randint(2, 7))]},
            {"key": ZONE, "operator": "In", "values": luck.sample(ZONES, 2)},
            {"key": "disk", "operator": luck.choice(("Exists", "DoesNotExist"))},
        )
    )


def terms(luck):
    """Of other pods: must, would like, or both."""
    found = {}
    if luck.random() < 0.5:
        found["requiredDuringSchedulingIgnoredDuringExecution"] = [term(luck)]
    if luck.random() < 0.6:
        found["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": luck.randint(1, 100), "podAffinityTerm": term(luck)} for _ in range(luck.randint(1, 2))
        ]
    return found


def term(luck):
    """Which pods, and how near."""
    where = luck.choice(({}, {}, {"namespaces": ["lab"]}, {"namespaceSelector": {"matchLabels": {"env": "test"}}}))
    more = where or luck.choice(({}, {}, {"namespaceSelector": {}}))
    return {"labelSelector": selector(luck), "topologyKey": luck.choice((ZONE, HOSTNAME)), **more}


def selector(luck):
    """Of pods, by their labels."""
    return luck.choice(
        (
            {"matchLabels": {"app": luck.choice(APPS)}},
            {"matchLabels": {"tier": luck.choice(TIERS)}},
            {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [luck.choice(APPS)]}]},
            {"matchExpressions": [{"key": "tier", "operator": luck.choice(("Exists", "DoesNotExist"))}]},
        )
    )


def constraint(luck, place):
    """How pods are to be spread."""
    must = luck.random() < 0.5
    made = {"maxSkew": luck.randint(1, 2), "topologyKey": place, "labelSelector": selector(luck)}
    made |= {"whenUnsatisfiable": "DoNotSchedule" if must else "ScheduleAnyway"}
    made |= maybe(luck, 0.25, minDomains=luck.randint(1, 4)) if must else {}
    made |= maybe(luck, 0.25, nodeAffinityPolicy=luck.choice(("Honor", "Ignore")))
    return made | maybe(luck, 0.25, nodeTaintsPolicy=luck.choice(("Honor", "Ignore")))


# -- who they belong to, and who protects them -------------------------------------------------------------------------
def owners(luck, chance, name, spec):
    """A Service or a ReplicaSet, or none."""
    return [{**named(name, "default"), "spec": spec}] if luck.random() < chance else []


def budget(luck, number):
    """How many of some pods may be disturbed now."""
    namespace = luck.choice(list(SPACES))
    status = {"disruptionsAllowed": luck.choice((0, 0, 1)), "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
    return {**named(f"b{number}", namespace), "spec": {"selector": selector(luck)}, "status": status}


# -- volumes -----------------------------------------------------------------------------------------------------------
def storage(luck, pods, pod, names):
    """{volumes, claims, classes, drivers}: in one scene of four the pod, and some that run, have claims."""
    classes = [klass(name, *how) for name, how in CLASSES.items()]
    made = {"volumes": [], "claims": [], "classes": classes, "drivers": []}
    if luck.random() > 0.25:
        return made
    for number in range(luck.randint(1, 3)):
        made["volumes"].append(volume(luck, f"free{number}", names, luck.choice(("late", "soon"))))
    for number, user in enumerate([pod, pod, *luck.sample(pods, min(2, len(pods)))][luck.randint(0, 1) :]):
        claim, bound = claimed(luck, f"c{number}", user["metadata"]["namespace"], names)
        made["claims"].append(claim)
        made["volumes"] += bound
        _mount(user, claim["metadata"]["name"])
        if user is not pod and luck.random() < 0.3 and user["metadata"]["namespace"] == pod["metadata"]["namespace"]:
            _mount(pod, claim["metadata"]["name"])
    if luck.random() < 0.5:
        allocatable = maybe(luck, 0.8, allocatable={"count": luck.randint(1, 2)})
        driver = {"name": DRIVER, "nodeID": "x", **allocatable}
        made["drivers"] = [{**named(name), "spec": {"drivers": [driver]}} for name in names if luck.random() < 0.8]
    return made


DRIVER = "csi.example.com"
NONE = "kubernetes.io/no-provisioner"
CLASSES = {
    "late": (NONE, "WaitForFirstConsumer"),
    "soon": (NONE, "Immediate"),
    "made": (DRIVER, "WaitForFirstConsumer"),
}


def klass(name, provisioner, mode):
    """A StorageClass."""
    return {**named(name), "provisioner": provisioner, "volumeBindingMode": mode, "reclaimPolicy": "Delete"}


def volume(luck, name, names, of):
    """A volume that lies on a node, in a zone or nowhere."""
    keys = luck.choice(({}, {HOSTNAME: luck.choice(names)}, {ZONE: luck.choice(ZONES)}))
    terms = [{"key": key, "operator": "In", "values": [value]} for key, value in keys.items()]
    spec = {"capacity": {"storage": luck.choice(("1Gi", "5Gi"))}, "accessModes": ["ReadWriteOnce", "ReadWriteOncePod"]}
    spec |= {"storageClassName": of, "csi": {"driver": DRIVER, "volumeHandle": name}, "volumeMode": "Filesystem"}
    if terms:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": terms}]}}
    labels = maybe(luck, 0.3, labels={ZONE: luck.choice(ZONES)})
    return {**named(name, **labels), "spec": spec, "status": {"phase": "Available"}}


def claimed(luck, name, namespace, names):
    """(a claim, [the volume that it is bound to])"""
    mode, of = luck.choice(("ReadWriteOnce", "ReadWriteOncePod")), luck.choice(list(CLASSES))
    spec = {"accessModes": [mode], "storageClassName": of, "volumeMode": "Filesystem"}
    spec["resources"] = {"requests": {"storage": luck.choice(("1Gi", "2Gi"))}}
    claim = {**named(name, namespace, uid=f"uid-of-{name}"), "spec": spec, "status": {"phase": "Pending"}}
    if luck.random() < 0.5:
        return claim, []
    bound = volume(luck, f"of-{name}", names, of)
    bound["spec"]["claimRef"] = {"namespace": namespace, "name": name, "uid": f"uid-of-{name}"}
    claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    claim["spec"]["volumeName"], claim["status"] = bound["metadata"]["name"], {"phase": "Bound"}
    return claim, [{**bound, "status": {"phase": "Bound"}}]


def _mount(pod, claim):
    volumes = pod["spec"].setdefault("volumes", [])
    volumes.append({"name": f"v{len(volumes)}", "persistentVolumeClaim": {"claimName": claim}})
