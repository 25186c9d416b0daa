"""services.flows: a flow is open, then something changes; who answers its next packet?

Each story is played on conntrack and on the rules of one node; the truth is what comes of it, not a list.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubemini.host.linux.conntrack import Conntrack
from kubemini.host.linux.packet import Packet
from kubemini.lab import NotYet, Report, exercise
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.picking import connect
from kubemini.network.decide.services.ports import endpoints_of, service_ports
from kubemini.network.decide.services.stale import stale
from kubemini.network.decide.services.world import World, world_of
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

NODE = Node("worker-1", ("192.168.0.101",), "a", "10.244.1.0/24", "10.244.1.1")
VIP, PORT, CLIENT = "10.96.0.7", 80, "10.244.1.9"
OLD, NEW = "10.244.2.5", "10.244.3.5"
SAME, OTHER, NOBODY = "the same pod", "another pod", "nobody"
WORDS = (SAME, OTHER, NOBODY)
LEAVING = {"ready": False, "serving": True, "terminating": True}


@dataclass
class Story:
    """One flow through the Service, the pods that run, and what the API says of them."""

    protocol: str
    running: list[str] = field(default_factory=lambda: [OLD])
    listed: dict[str, Any] = field(default_factory=lambda: {OLD: {"ready": True}})
    exists: bool = True
    kube_proxy: bool = True
    known: Conntrack = field(default_factory=Conntrack)
    rules: World | None = None
    now: int = 0

    def posted(self) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The Service and its slice."""
        port = {"name": "", "port": PORT, "protocol": self.protocol}
        ends = [{"addresses": [ip], "nodeName": "w", "conditions": how} for ip, how in self.listed.items()]
        meta = {"name": "web", "namespace": "default"}
        service = {"metadata": meta, "spec": {"clusterIP": VIP, "ports": [port]}}
        return [(service, [{"ports": [port], "endpoints": ends}])] if self.exists else []

    def sync(self) -> None:
        """kube-proxy writes what the API says now and cuts flows that lead to nobody, if it lives."""
        if not self.kube_proxy:
            return
        posted = self.posted()
        self.rules = world_of([NODE], ProxyConfig(), posted)
        served = [(p, endpoints_of(p, slices)) for service, slices in posted for p in service_ports(service)]
        for entry in stale(self.known.entries(), served):
            self.known.forget(entry)

    def send(self) -> str:
        """The pod that gets the next packet of the flow, "" if none does."""
        self.now += SECOND
        assert self.rules is not None
        packet = Packet(self.protocol, CLIENT, VIP, 40_000, PORT)
        tracked = self.known.look(packet, self.now)
        assert tracked.entry is not None
        if not tracked.entry.confirmed:
            _, way = connect(self.rules, NODE.name, packet, 0, {}, self.now)
            if way is None:
                return ""
            tracked.entry.reply = (self.protocol, way.endpoint.ip, way.endpoint.port, way.source, 40_000)
        self.known.confirm(tracked, packet, self.now)
        pod = tracked.entry.reply[1]
        return pod if pod in self.running else ""


def _not_ready(story: Story) -> None:
    story.listed = {OLD: {"ready": False, "serving": False}, NEW: {"ready": True}}
    story.running.append(NEW)


def _service_gone(story: Story) -> None:
    story.exists = False


def _replaced(story: Story) -> None:
    story.running, story.listed = [NEW], {NEW: {"ready": True}}


def _replaced_and_kube_proxy_dead(story: Story) -> None:
    story.kube_proxy = False
    _replaced(story)


def _leaving(story: Story) -> None:
    story.running.append(NEW)
    story.listed = {OLD: LEAVING, NEW: {"ready": True}}


STORIES: dict[str, tuple[str, str, Callable[[Story], None]]] = {
    "a": ("TCP", "Its pod fails its readiness probe and runs on; another pod is ready.", _not_ready),
    "b": ("TCP", "The Service is deleted; the pod runs on.", _service_gone),
    "c": ("TCP", "The pod is deleted, another has taken its place.", _replaced),
    "d": ("UDP", "The pod is deleted, another has taken its place.", _replaced),
    "e": ("UDP", "The same, and kube-proxy of the client's node is dead.", _replaced_and_kube_proxy_dead),
    "f": ("UDP", "The pod is told to end and still serves; another pod is ready.", _leaving),
}


def outcome(letter: str) -> str:
    """Who answers the next packet of the flow of a story."""
    protocol, _, change = STORIES[letter]
    story = Story(protocol)
    story.sync()
    first = story.send()
    assert first == OLD
    change(story)
    story.sync()
    then = story.send()
    return SAME if then == first else OTHER if then else NOBODY


@exercise("services.flows")
def check_flows(answer: Any) -> Report:
    """The learner's word for each story beside what comes of it."""
    if not isinstance(answer, dict) or set(answer) != set(STORIES):
        raise NotYet(f"Give check() a dict with the keys {', '.join(STORIES)}; it got {shown(answer)}.")
    facts: list[str] = []
    for letter, (protocol, text, _) in STORIES.items():
        said = answer[letter]
        if said not in WORDS:
            raise NotYet(f"({letter}) is one of {', '.join(map(repr, WORDS))}; it is {shown(said)}.")
        came = outcome(letter)
        if said != came:
            raise NotYet(
                f"({letter}) {protocol}: {text} You said {said}; {came} answers.",
                *facts,
                next="Two questions: is there an entry in conntrack still, and does the pod in it run?",
            )
        facts.append(f"({letter}) {protocol}: {came}")
    return Report(
        "pass", tuple(facts), "Rules are for first packets. A flow follows its entry, and kube-proxy cuts UDP."
    )
