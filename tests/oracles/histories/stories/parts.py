"""The steps of our own stories, and the objects that they make."""

from kubemini.api.kinds import by_name

MERGE = "application/merge-patch+json"
HERE = {"set": "ns"}  # a label of the nodes of one story


def story(area, name, about, *steps, quiet=3.0, scheduler=False):
    """A story; *quiet*: the seconds without a change after which a step is over."""
    needs = ["api", "controllers", *(["scheduler"] if scheduler else [])]
    told = {"kubelet": "hand", "needs": needs, "quiet": quiet, "steps": list(steps)}
    return {"name": f"{area}-{name}", "area": area, "about": about, **told}


# -- steps -------------------------------------------------------------------------------------------------------------
def node(name, taints=(), **labels):
    """A node joins."""
    labels = {"kubernetes.io/hostname": name, **HERE, "topology.kubernetes.io/region": "ns", **labels}
    made = {"name": name, "labels": labels, "taints": list(taints), "ready": True}
    return {"say": f"register node {name} by hand", "node": made}


def request(say, method, path, body=None, kind=None):
    """A request."""
    asked = {"method": method, "path": path, **({"content-type": kind} if kind else {})}
    return {"say": say, "request": asked | ({} if body is None else {"body": body})}


def create(obj):
    """An object is made."""
    path = by_name(obj["kind"]).path("ns" if by_name(obj["kind"]).namespaced else "")
    return request(f"create {obj['kind']} {obj['metadata']['name']}", "POST", path, obj)


def path_of(what):
    """The path of ``Kind/name``."""
    kind, name = what.split("/", 1)
    return f"{by_name(kind).path('ns' if by_name(kind).namespaced else '')}/{name}"


def change(what, body, say="", sub=""):
    """A merge patch of ``Kind/name``."""
    return request(say or f"patch {what}", "PATCH", path_of(what) + sub, body, MERGE)


def spec(what, **fields):
    """A merge patch of its spec."""
    return change(what, {"spec": fields}, f"{what}: {', '.join(fields)}")


def image(what, name):
    """Another image for its template."""
    containers = [{"name": "c", "image": name}]
    return change(what, {"spec": {"template": {"spec": {"containers": containers}}}}, f"{what}: image {name}")


def delete(what, **options):
    """It is deleted, with these options."""
    return request(f"delete {what} {options or ''}".strip(), "DELETE", path_of(what), options or None)


def kubelet(do, of, most=None, **more):
    """Kubelets do that to the first *most* pods of *of* that it fits."""
    return {"say": f"kubelet: {do}", "kubelet": {"do": do, "of": of, **({"most": most} if most else {}), **more}}


def wait(until, within=60):
    """Wait until the expression is true."""
    return {"say": f"wait until {until}", "within": within, "until": until}


def sleep(seconds):
    """Let time pass."""
    return {"say": f"let {seconds} s pass", "seconds": seconds}


def auto():
    """From here on every pod becomes ready, and what is deleted goes, at once."""
    return {"say": "kubelets keep up from here on", "auto": "ready"}


# -- objects -----------------------------------------------------------------------------------------------------------
def template(app, image="app:1", **more):
    """A template of pods that are bound by hand."""
    spec = {"schedulerName": "by-hand", "terminationGracePeriodSeconds": 30}
    spec |= {"containers": [{"name": "c", "image": image}], **more}
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def made(version, kind, name, **rest):
    """An object."""
    labels = {"labels": rest.pop("labels")} if "labels" in rest else {}
    owners = {"ownerReferences": rest.pop("owners")} if "owners" in rest else {}
    finalizers = {"finalizers": rest.pop("finalizers")} if "finalizers" in rest else {}
    meta = {"name": name, **labels, **owners, **finalizers}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


def workload(kind, name, replicas=None, image="app:1", pod=(), **fields):
    """A workload of that kind."""
    counted = {} if replicas is None else {"replicas": replicas}
    selector = {"app": name} if kind == "ReplicationController" else {"matchLabels": {"app": name}}
    whole = {**counted, "selector": selector, "template": template(name, image, **dict(pod)), **fields}
    return made("v1" if kind == "ReplicationController" else "apps/v1", kind, name, spec=whole)


def rolling(surge, missing):
    """The strategy of a Deployment."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}}


def job(name, pod=(), **fields):
    """A Job."""
    return made(
        "batch/v1", "Job", name, spec={"template": template(name, restartPolicy="Never", **dict(pod)), **fields}
    )


def pod(name, labels=None, **more):
    """A pod of nobody."""
    return made("v1", "Pod", name, labels=labels or {"app": name}, spec=template(name, **more)["spec"])


def config(name, **more):
    """A ConfigMap."""
    return made("v1", "ConfigMap", name, **more)


def service(name, app, ports=((80, 8080),), **fields):
    """A Service."""
    listed = [{"name": f"p{port}", "port": port, "targetPort": target} for port, target in ports]
    return made("v1", "Service", name, spec={"selector": {"app": app}, "ports": listed, **fields})
