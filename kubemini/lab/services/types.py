"""services.types: six wishes, six Services; each answer is tried on packets, in both modes of kube-proxy."""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.services.doors import PLACES, SENDERS, WEB, ask, told
from kubemini.ranges import shown

WISHES = {
    "a": "Pods of the cluster ask it; nobody else can.",
    "b": "A client of the database wants the address of every pod, not one picked for it.",
    "c": "Colleagues in the office come to port 30080 of any node; there is no load balancer.",
    "d": "A load balancer's address for the world, and the pods' logs show who came.",
    "e": "Programs say `payments`, and mean payments.example.com, which is not ours.",
    "f": "One collector of logs on each node; a pod sends to the one of its own node, never further.",
}
KNOWN = (
    "type",
    "clusterIP",
    "externalName",
    "externalTrafficPolicy",
    "internalTrafficPolicy",
    "sessionAffinity",
)
MODES = ("iptables", "nftables")
CLIENT, OUTSIDE = SENDERS["pod"][0], SENDERS["outside"][0]


def _only_pods(spec: dict[str, Any]) -> str:
    for mode in MODES:
        if set(ask("pod", "web:80", mode, **spec).backends) != {f"{ip}:8080" for ip, _ in WEB.values()}:
            return "A pod does not reach both pods behind it."
        seen = ask("outside", "worker-1:30080", mode, **spec)
        if seen.fate == "connected":
            return f"Somebody outside comes in by a node port ({told(seen)})."
    return ""


def _headless(spec: dict[str, Any]) -> str:
    if spec.get("clusterIP") != "None":
        return "Its cluster IP picks one pod for the client; DNS names all pods only where there is no cluster IP."
    return (
        "" if spec.get("type", "ClusterIP") == "ClusterIP" else "Only a Service of type ClusterIP can do without one."
    )


def _node_port(spec: dict[str, Any]) -> str:
    if spec.get("type") == "LoadBalancer":
        return "It asks for a load balancer, and there is none: its address stays pending for ever."
    for mode in MODES:
        for node in ("worker-1", "worker-2", "worker-3"):
            found = ask("outside", f"{node}:30080", mode, **spec)
            if found.fate != "connected":
                return f"From outside, {node}:30080 is {found.fate} ({found.rule or 'no rule decided'})."
    return ""


def _shows_client(spec: dict[str, Any]) -> str:
    if spec.get("type") != "LoadBalancer":
        return "Nobody gives it an address for the world: that is what type LoadBalancer asks for."
    here = {"web-3": ("10.244.3.5", "worker-3")}  # where the load balancer brings its packets
    for mode in MODES:
        found = ask("outside", "lb:80", mode, {**WEB, **here}, **spec)
        if set(found.backends.values()) != {OUTSIDE}:
            seen = ", ".join(sorted(set(found.backends.values())))
            return f"The pods see {seen or 'nobody'}, not {OUTSIDE}: the packet is masqueraded on its way."
    return ""


def _alias(spec: dict[str, Any]) -> str:
    if spec.get("type") != "ExternalName":
        return "No rule can rewrite a packet to a name; what answers with another name is DNS."
    return "" if spec.get("externalName") == "payments.example.com" else "It does not say which name it stands for."


def _own_node(spec: dict[str, Any]) -> str:
    for mode in MODES:
        found = ask("pod", "web:80", mode, **spec)
        if set(found.backends) != {"10.244.1.5:8080"}:
            return f"A pod on worker-1 is sent to {', '.join(found.backends) or 'nobody'}; its own is 10.244.1.5."
    return ""


TRIALS: dict[str, Callable[[dict[str, Any]], str]] = {
    "a": _only_pods,
    "b": _headless,
    "c": _node_port,
    "d": _shows_client,
    "e": _alias,
    "f": _own_node,
}


@exercise("services.types")
def check_types(answer: Any) -> Report:
    """The learner's six specs, each asked what its wish demands."""
    if not isinstance(answer, dict) or set(answer) != set(WISHES):
        raise NotYet(f"Give check() a dict with the keys {', '.join(WISHES)}; it got {shown(answer)}.")
    facts: list[str] = []
    for letter, trial in TRIALS.items():
        spec = _spec(letter, answer[letter])
        if wrong := trial(spec):
            raise NotYet(f"({letter}) {WISHES[letter]} {wrong}", *facts, next=f"You gave {spec or 'an empty spec'}.")
        facts.append(f"({letter}) {', '.join(f'{k}: {v}' for k, v in spec.items()) or 'all defaults'}")
    return Report("pass", tuple(facts), "A type says who can come; a policy says how far a packet may go.")


def _spec(letter: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise NotYet(f"({letter}) is a dict of fields of spec, such as {{'type': 'NodePort'}}; it is {shown(given)}.")
    unknown = [key for key in given if key not in KNOWN]
    if unknown:
        raise NotYet(f"({letter}) {shown(unknown[0])} is not asked for here; there are: {', '.join(KNOWN)}.")
    if given.get("type", "ClusterIP") not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        raise NotYet(f"({letter}) There is no type {shown(given['type'])}.")
    if "clusterIP" in given and given["clusterIP"] not in ("None", PLACES["web"]):
        raise NotYet(f"({letter}) The only cluster IP to ask for here is the word 'None'.")
    return dict(given)
