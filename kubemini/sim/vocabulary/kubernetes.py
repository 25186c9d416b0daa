"""The control plane and the nodes: what they decide, store, run and program."""

from kubemini.sim.vocabulary.word import (
    API_SERVER,
    BALANCER,
    KUBE_PROXY,
    KUBELET,
    MANAGER,
    POLICY_AGENT,
    SCHEDULER,
    Detail,
    word,
)

QUIET_KINDS = ("EndpointSlice", "Lease", "Event", "ConfigMap")
TOLD_WHEN_CHANGED = ("Deployment", "Node")


def _object(d: Detail) -> str | None:
    kind, name = d["kind"], d["name"]
    if kind in QUIET_KINDS or (kind == "Namespace" and name.startswith("kube-")):
        return None
    if d["verb"] == "DELETED":
        return f"deletes {kind} {name}"
    if d["verb"] == "ADDED":
        return f"stores a new {kind} {name}"
    facts = _facts(d) if kind in TOLD_WHEN_CHANGED else ""
    return f"stores {kind} {name}: {facts}" if facts else None


def _facts(d: Detail) -> str:
    """What of a changed object is worth a word; empty if nothing."""
    fields = d.get("summary") or {}
    if d["kind"] == "Node":
        return "ready" if fields.get("ready") else "not ready"
    return ", ".join(f"{key} {fields[key]}" for key in ("replicas", "ready"))


def _decision(d: Detail) -> str:
    if d["node"]:
        return f"puts {d['pod'].split('/')[-1]} on {d['node']}"
    return f"finds no node for {d['pod']}"


def _pod(d: Detail) -> str | None:
    if d["state"] == "running":
        ready = f"runs and is ready, {d['ip']}" if d["ready"] else "runs, not ready"
        return f"{d['name']} {ready}"
    return f"{d['name']} is {d['state']}"


def _rules(d: Detail) -> str | None:
    ips = ", ".join(e["ip"] for e in d["endpoints"])
    return f"rules: {d['service'].split('/')[-1]} → {ips or 'nowhere'}"


word(
    "ready",
    API_SERVER,
    "an API server's /readyz changes; {ready, why}",
    lambda d: "is ready" if d["ready"] else f"is not ready: {d['why']}",
    lasts=True,
    drawn=True,
)
word(
    "backend",
    BALANCER,
    "a load balancer changes its mind; {server, up, why}",
    lambda d: f"marks {d['server']} {'up' if d['up'] else 'down'}: {d['why']}",
    lasts=True,
    drawn=True,
)
word(
    "holder",
    MANAGER,
    "a component takes a leader-election Lease; {lease, holder}",
    lambda d: f"holds the lease {d['lease']}",
    drawn=True,
)
word(
    "object",
    API_SERVER,
    "an API object changed; {verb: ADDED|MODIFIED|DELETED, kind, namespace, name, revision, summary}",
    _object,
    lasts=True,
    drawn=True,
)
word("audit", API_SERVER, "a stage of a request that an audit policy wants to hear of; {event}: audit.k8s.io/v1")
word(
    "decision",
    SCHEDULER,
    "a scheduler decides about a pod; {pod, node or '', rejected: {node: [plugin, [reasons]]},"
    " scores: {node: {plugin: 0..100}}, totals: {node: weighted sum}}",
    _decision,
)
word(
    "pod",
    KUBELET,
    "what really runs on a host; {name, namespace, app, ready, ip, state: starting|running|exited|stopping|gone}",
    _pod,
    lasts=True,
    drawn=True,
)
word(
    "sandbox",
    KUBELET,
    "a pod gets no network, so nothing of it can start; {pod, message: the kubelet's Event}",
    lambda d: (
        f"cannot start {d['pod'].split('/')[-1]}: {d['message'].rpartition('desc = ')[2].rpartition('(add): ')[2]}"
    ),
)
word(
    "environment",
    KUBELET,
    "what a starting container is told of Services; {pod, variables: {name: value}}",
)
word(
    "rules",
    KUBE_PROXY,
    "what a host's kernel is programmed with; {service, ip, endpoints: [{pod, ip, node}]}",
    _rules,
    lasts=True,
    drawn=True,
)
word(
    "policies",
    POLICY_AGENT,
    "which policies a host judges by, when they are others than before; {names: [namespace/name or name]}",
    lambda d: f"judges by {', '.join(d['names'])}" if d["names"] else "judges nothing any more",
    drawn=True,
)
