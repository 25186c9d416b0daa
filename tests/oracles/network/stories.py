"""kube-proxy's stories in time, told on our lab: a node proxy a node, sockets that go on asking.

What a story's clients are is said in its file's ``about``: p13 on n1, and for node ports a host outside.
A story is played by its title; one whose title is not here is not told.
"""

from functools import partial

from kubemini.host.linux.exchange import FIRST_PORT, connect
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.rules import saved
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.ground import Plan, PodPlan, build
from kubemini.network.walks.nodeproxy import NodeProxy, clean_up
from kubemini.network.walks.proxied import TABLE, listen, plans_of
from kubemini.sim.units import SECOND
from tests.oracles.network import proxy
from tests.oracles.network.rules import KUBERNETES

VIP, NODE_PORT, PORT, TARGET = "10.96.7.7", 30777, 80, 8080
READY = {"ready": True, "serving": True, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}
REFUSED, SILENT = "ECONNREFUSED", "no answer"
OTHER = {"iptables": "nftables", "nftables": "iptables"}


def stories_answers(path, data):
    """{"story | mode": () -> what became of it}."""
    return {
        f"{told['story']} | {told['mode']}": partial(_play, path.parent, told)
        for told in data["stories"]
        if _title(told) in PLAYS
    }


def _play(folder, told):
    return PLAYS[_title(told)](Stage(folder, told["mode"]))


def _title(told):
    """A story's title without what is said in brackets."""
    return told["story"].split(" (")[0]


class Stage:
    """The lab of the recordings with a node proxy on every node."""

    def __init__(self, folder, mode):
        data, self.nodes, _ = proxy.recorded(folder)
        lab = data["lab"]
        self.pods = {name: (pod["ip"], pod["node"]) for name, pod in lab["pods"].items()}
        plans = tuple(PodPlan(name, node, ip) for name, (ip, node) in self.pods.items())
        clients = dict(text.split(", enters at ") for text in lab["outside"].values())
        self.net = build(Plan(tuple(self.nodes), plans, clients))
        self.mode, self.now, self.port = mode, SECOND, FIRST_PORT
        self.proxies = {node.name: self.start(node, mode) for node in self.nodes}
        for name in self.pods:
            for protocol in ("TCP", "UDP"):
                self.net[name].listening[protocol, "", TARGET] = name

    def start(self, node, mode):
        """A kube-proxy of *mode* on a node."""
        return NodeProxy(self.net[node.name], node, ProxyConfig(mode=mode), self.now)

    def post(self, *endpoints, protocol="UDP", name="u", node_port=NODE_PORT):
        """The Service has these endpoints: (pod, conditions) each; every node proxy hears of it."""
        port = {"name": "", "port": PORT, "protocol": protocol} | ({"nodePort": node_port} if node_port else {})
        service = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"type": "NodePort", "clusterIP": VIP, "ports": [port]},
        }
        ends = [
            {"addresses": [self.pods[pod][0]], "nodeName": self.pods[pod][1], "conditions": how}
            for pod, how in endpoints
        ]
        slice = {"metadata": {"name": f"{name}-0"}, "addressType": "IPv4", "endpoints": ends}
        slice["ports"] = [{"name": "", "port": TARGET, "protocol": protocol}]
        self.change([(service, [slice])])

    def change(self, posted):
        """What the API has beside the Service ``kubernetes``."""
        posted = [KUBERNETES, *posted]
        for one in self.proxies.values():
            one.change(posted)
        listen(self.net, {}, posted)

    def socket(self, protocol, namespace, to, port):
        """A socket: a function that says who answers its next packet."""
        self.port += 1
        packet = Packet(protocol, "", to, self.port, port)
        return lambda: self._ask(namespace, packet)

    def _ask(self, namespace, packet):
        self.now += SECOND // 2
        verdict = connect(self.net, namespace, packet, lambda weights: 0, self.now).verdict
        answers = {"connected": verdict.by, "refused": REFUSED, "closed": REFUSED}
        return answers.get(verdict.fate, SILENT)

    def inside(self, protocol="UDP"):
        return self.socket(protocol, "p13", VIP, PORT)

    def outside(self, protocol="UDP"):
        return self.socket(protocol, "outside", self.nodes[0].addresses[0], NODE_PORT)

    def kube_chains(self):
        """The chains of kube-proxy that iptables has on n1."""
        chains = self.net["n1"].rules.chains
        return sorted({name for table, name in chains if name.startswith("KUBE-") and table != TABLE})

    def tables(self):
        """How many tables of kube-proxy nftables has: one a family; ours is one of two."""
        return 2 * any(table == TABLE for table, _ in self.net["n1"].rules.chains)


# -- the stories -----------------------------------------------------------------------------------
def goes_on_sending(stage):
    sockets = stage.inside(), stage.outside()
    got = {}
    for moment, endpoints in (
        ("before", [("p21", READY)]),
        ("endpoint_replaced", [("p31", READY)]),
        ("endpoint_terminating_beside_a_ready_one", [("p31", LEAVING), ("p12", READY)]),
        ("no_endpoints", []),
    ):
        stage.post(*endpoints)
        got[moment] = [socket() for socket in sockets]
    got["no_endpoints_fresh_socket_to_the_node_port"] = stage.outside()()
    stage.post(("p12", READY))
    got["endpoint_back"] = [socket() for socket in sockets]
    return got


def asked_too_early(stage):
    socket = stage.inside()
    stage.post()
    got = {"before": socket(), "then": [socket()]}
    stage.post(("p21", READY))
    got["then"] += [socket() for _ in range(3)]
    return got


def flushed_by_hand(stage):
    """Six seconds of looking, twice a second, at whether a new connection works again."""
    stage.post(("p21", READY))
    node = stage.proxies["n1"]
    node.look(stage.now)
    stage.net["n1"].rules.flush()
    begun, healed = stage.now, None
    while healed is None and stage.now - begun < 6 * SECOND:
        node.look(stage.now)
        healed = stage.now if stage.inside()() == "p21" else None
    return {"healed_within_6_s": healed}


def everything_deleted(stage):
    """Lines of iptables-save: four for a table, beside its chains and rules."""
    stage.post(("p21", READY))
    stage.change([])
    node = stage.nodes[0]
    plans = plans_of(node, [KUBERNETES])
    lines = saved.listed(saved.written(plans, ProxyConfig(mode=stage.mode), node))
    tables = {line.split()[0] for line in lines}
    return {"lines": len(lines) + 4 * len(tables), "chains": len([x for x in lines if ":KUBE-" in x])}


def other_mode(stage):
    stage.post(("p11", READY), protocol="TCP", name="x", node_port=0)
    stage.proxies["n1"] = stage.start(stage.nodes[0], OTHER[stage.mode])
    stage.post(("p11", READY), protocol="TCP", name="x", node_port=0)
    return {
        "to": OTHER[stage.mode],
        "chains_of_iptables": stage.kube_chains(),
        "kube_proxy_tables": stage.tables(),
    }


def cleaned_up(stage):
    other_mode(stage)
    clean_up(stage.net["n1"])
    return {"chains_of_iptables": stage.kube_chains(), "kube_proxy_tables": stage.tables()}


PLAYS = {
    "a UDP socket that goes on sending": goes_on_sending,
    "a UDP socket that asked while there were no endpoints": asked_too_early,
    "all rules of n1 flushed by hand": flushed_by_hand,
    "after everything is deleted": everything_deleted,
    "the other mode takes over on n1": other_mode,
    "kube-proxy --cleanup": cleaned_up,
}
