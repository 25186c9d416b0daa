"""A step in plain words: what happens, and why; and a few words beside its arrow.

Invariant: what is said follows from the step, its cause and what both are about, for any object and any program.
"""

from kubemini.sim.units import SECOND
from kubemini.view.lanes.steps import Step, lane_of, resource

DONE = {"ADDED": "is new", "MODIFIED": "has changed", "DELETED": "is gone"}
DEEDS = {"POST": "creates", "PUT": "writes", "PATCH": "changes", "DELETE": "deletes", "GET": "reads"}
FULL = {
    "etcd": "etcd",
    "API server": "The API server",
    "controllers": "The controller-manager",
    "scheduler": "The scheduler",
    "load balancer": "The load balancer",
    "kubectl": "kubectl",
}
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
CONTROLLER_OF = {"EndpointSlice": "EndpointSlice", "Endpoints": "Endpoints", "Lease": ""}  # not their owner's
LATER = SECOND // 10  # after so long a wait it is worth a word


def who(program: str, begins: bool = True) -> str:
    """A program as a sentence names it: The kubelet of worker-1."""
    lane = lane_of(program)
    stem, _, host = program.partition("@")
    name = f"The {stem} of {host}" if host else FULL.get(lane, program)
    if lane == "kube-proxy" and host:
        name = f"kube-proxy of {host}"
    return name if begins or not name.startswith("The ") else f"the {name[4:]}"


def thing(about: str) -> str:
    """Kind/name as words: Pod web-1; a collection: Pods."""
    kind, _, name = about.partition("/")
    if name:
        return f"{kind} {name}"
    return many_of(kind) if kind else "what this server serves"


def many_of(kind: str) -> str:
    """The objects of a kind: Pods, Ingresses, NetworkPolicies."""
    if kind.endswith(("s", "x")):
        return kind if kind == "Endpoints" else f"{kind}es"
    return f"{kind[:-1]}ies" if kind.endswith("y") and not kind.endswith(("ay", "ey")) else f"{kind}s"


def writer(step: Step) -> str:
    """Who asks, as a sentence names it: of the controller-manager, the controller."""
    if lane_of(step.source) != "controllers" or step.form != "request":
        return who(step.source)
    kind, _, below = resource(step.detail.get("path", ""))
    owner = step.detail.get("owner", "").partition("/")[0]
    name = kind if below == "status" else CONTROLLER_OF.get(kind, owner)
    return f"The {name} controller" if name else who(step.source)


def said(step: Step) -> str:
    """What happens."""
    d = step.detail
    lane, to = lane_of(step.source), who(step.to, begins=False)
    match step.form:
        case "act":
            return _act(step)
        case "event" if lane == "etcd":
            return f"etcd tells {to} of a change: {thing(step.about)}, revision {step.revision}."
        case "event":
            what = DONE[d["changes"][0][0]]
            return f"{who(step.source)} tells {to}: {thing(step.about)} {what}."
        case "answer" if lane == "etcd":
            return _answer_of_etcd(step)
        case "answer":
            refused = "" if d["code"] == "OK" else f": it is refused, {d['code']}"
            return f"{who(step.to)} has its answer{refused}."
        case "watch":
            return f"{who(step.source)} asks {to} to tell it of every change of {thing(step.about)} from now on."
    if lane_of(step.to) == "etcd":
        deed = "store" if d["verb"] in ("txn", "put") else "read" if d["verb"] == "range" else d["verb"]
        return f"{who(step.source)} asks etcd to {deed} {thing(step.about)}."
    return _request(step)


def _act(step: Step) -> str:
    d = step.detail
    name = who(step.source)
    match d["what"]:
        case "disk":
            return f"etcd has {thing(step.about)} on its disk: revision {step.revision}."
        case "decision" if d["node"]:
            return f"{name} chooses {d['node']} for {thing(step.about)}."
        case "decision":
            return f"{name} finds no node for {thing(step.about)}."
        case "rules":
            many = len(d["endpoints"])
            return f"{name} writes its kernel's rules: {d['service'].rpartition('/')[2]} leads to {pods(many)}."
    states = {"starting": "starts", "running": "runs", "stopping": "stops", "exited": "has seen the end of"}
    if d["state"] == "running":
        return f"On {step.source.partition('@')[2]}, {thing(step.about)} runs{' and is ready' if d['ready'] else ''}."
    return f"{name} {states.get(d['state'], 'has cleared away')} {thing(step.about)}."


def pods(many: int) -> str:
    """A number of pods."""
    return "no pod" if not many else "1 pod" if many == 1 else f"{many} pods"


def _answer_of_etcd(step: Step) -> str:
    d = step.detail
    if d["code"] != "OK":
        return f"etcd refuses: {thing(step.about)} has {d['code']}."
    return f"etcd answers the API server: {thing(step.about)}, revision {step.revision}."


def _request(step: Step) -> str:
    d = step.detail
    kind, name, below = resource(d["path"])
    deed, asker = DEEDS.get(d["verb"], d["verb"]), writer(step)
    sets = d.get("sets", {})
    many = _counts(sets, "spec")
    if not kind or kind.startswith("/"):
        return f"{asker} asks which kinds of objects there are."
    if below == "binding":
        return f"{asker} writes a Binding: Pod {name} goes to {sets.get('target.name', 'its node')}."
    if below == "status":
        phase = sets.get("status.phase")
        told = f": {phase}" if phase else _counts(sets, "status")
        return f"{asker} reports on {thing(step.about)}{told}."
    if d["verb"] == "POST" and not name:
        return f"{asker} creates {'an' if kind[0] in 'AEIO' else 'a'} {kind}{many}."
    if d["verb"] == "PATCH" and sets:
        change = ", ".join(f"{field} = {value}" for field, value in sets.items())
        return f"{asker} {deed} one thing in {thing(step.about)}: {change}."
    return f"{asker} {deed} {thing(step.about)}{many}."


def _counts(sets: dict[str, object], part: str) -> str:
    """What is written of numbers of replicas, into the spec or the status."""
    many = sets.get(f"{part}.replicas")
    if many is None:
        return ""
    ready = f", {sets.get('status.readyReplicas', 0)} ready" if part == "status" else ""
    return f": {many} replica{'' if many == 1 else 's'}{ready}"


def why(step: Step, cause: Step | None, number: int, verb: str) -> str:
    """Why it happens: because of *cause*, step *number* (0: none); *verb*: of the request that it answers."""
    after = f" (step {number})" if number else ""
    lane = lane_of(step.source)
    match step.form:
        case "act":
            return _why_act(step, cause, after)
        case "answer":
            return _why_answer(step, cause, after, verb)
        case "event":
            return _why_event(step, lane)
    if lane == "API server":
        return f"It has checked the request{after}: who asks, whether they may, whether the object is valid."
    if lane == "kubectl":
        return _why_kubectl(step)
    if cause is None:
        return "Its own clock says so: nobody has asked for it."
    return _why_request(step, cause, after)


def _why_answer(step: Step, cause: Step | None, after: str, verb: str) -> str:
    if lane_of(step.source) == "etcd":
        disk = cause is not None and cause.form == "act"
        return f"It answers a write when that is on its disk{after}." if disk else f"It was asked{after}."
    done = lane_of(step.to) == "kubectl" and verb in CHANGES
    end = " Its change is stored, and kubectl is done: what follows, others do." if done else ""
    asked = cause is not None and cause.form == "answer"
    return f"etcd has answered{after}.{end}" if asked else f"The API server has not asked etcd for it.{end}"


def _why_kubectl(step: Step) -> str:
    if lane_of(step.to) == "etcd":
        return "That is etcdctl: it goes past the API server, and past all that is checked there."
    if step.detail["verb"] == "GET":
        return "It reads, and changes nothing." if step.about != "/" else "It knows no kinds by heart."
    return "That is all it does. It tells no scheduler and no kubelet, only the API server."


def _why_event(step: Step, lane: str) -> str:
    kind = step.about.partition("/")[0]
    if lane == "etcd":
        return f"The API server keeps one watch on etcd for all {many_of(kind)}, whoever wants to hear of them."
    what = "the Pods that name its node" if kind == "Pod" and step.to.startswith("kubelet@") else many_of(kind)
    return f"{who(step.to)} watches {what}: it asked once, and the answer never ends."


def _why_request(step: Step, cause: Step, after: str) -> str:
    if cause.form == "event":
        return f"It has heard{after} that {thing(cause.about)} {DONE[cause.detail['changes'][0][0]]}."
    if cause.form == "answer":
        return f"What it asked for before is done{after}; this comes next."
    if resource(step.detail.get("path", ""))[2] == "binding":
        return "It calls no kubelet: it writes an object, and whoever it concerns will see it."
    return f"An object is a report, and things have changed{after}."


def _why_act(step: Step, cause: Step | None, after: str) -> str:
    waited = 0 if cause is None else step.at - cause.arrives
    later = f"{waited / SECOND:.2f} s later. " if waited >= LATER else ""
    match step.detail["what"]:
        case "disk":
            return "Only now does it count: it would be there after a crash."
        case "decision":
            return f"It has heard{after} of a Pod without a node, and has compared the nodes."
        case "rules":
            return f"{later}It has heard{after} of other endpoints. From now on visits go by these rules."
    if step.detail["state"] == "running":
        return f"{later}Its containers have started."
    if step.detail["state"] == "starting":
        return f"It has heard{after} of a Pod that names its node."
    if cause is not None and cause.form == "event":
        return f"It has heard{after} that the Pod has to go."
    return f"{later}Its processes have ended."


def label(step: Step) -> str:
    """A few words beside the arrow."""
    d = step.detail
    match step.form:
        case "act":
            return {"disk": f"on disk, revision {step.revision}", "decision": f"chooses {d.get('node') or 'none'}"}.get(
                d["what"], f"rules: {pods(len(d['endpoints']))}" if d["what"] == "rules" else f"pod {d.get('state')}"
            )
        case "event" if lane_of(step.source) == "etcd":
            return f"{d['changes'][0][0].lower()}, revision {step.revision}"
        case "event":
            return f"{d['changes'][0][0]} {step.about}"
        case "answer":
            return d["code"] + (f", revision {step.revision}" if step.revision else "")
        case "watch":
            return f"watch {step.about}"
    kind, name, below = resource(d.get("path", ""))
    if kind and not name:
        return f"{d['verb']} {many_of(kind)}"
    what = step.about if step.about != "/" else d["path"]
    return f"{d['verb']} {what}{f'/{below}' if below else ''}"
