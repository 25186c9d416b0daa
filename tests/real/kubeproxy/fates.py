"""The same packets: real kube-proxies on three nodes write the rules, and flows end as in our walk.

The network is the kernel twin's (tests/real/kernel), with one cable more to each node, to the API server.
Its Services are posted, a kube-proxy starts on every node, and when their rules are ours real sockets ask.
"""

from itertools import count

from kubemini.api.labels import SERVICE_NAME
from kubemini.network.decide.services.node import ProxyConfig
from tests.oracles.ha.real import hosts
from tests.real.kernel import comparing, worlds
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import Servers
from tests.real.kubeproxy.holding import Proxy, held

FLOWS = 120
CABLES = count(1)
NAMES = {node.name: f"proxy-{node.name}" for node in worlds.NODES}


def differences(lab, seed, mode):
    """What differs in one mode for the Services of a *seed*: rules, else the fates of packets."""
    config, posted = ProxyConfig(mode), worlds.services(seed)
    net = worlds.ground(config, posted)
    flows = worlds.flows(seed, posted, FLOWS)
    wanted = {flow: comparing.possible(net, flow) for flow in flows}
    lab.post({key(service): (service, named(service, slices)) for service, slices in posted})
    with Mirror(net) as mirror:
        for node in worlds.NODES:
            lab.tell(node)
            _cable(mirror.space(node.name))
        proxies = [Proxy(NAMES[node.name], mode, mirror.space(node.name), node) for node in worlds.NODES]
        for proxy in proxies:
            lab.start_proxy(proxy.name, mode, proxy.host, proxy.node, {})
        try:
            found = [f"{one.node.name}, {line}" for one in proxies for line in held(lab, one)]
            if found:
                return [*found, *(f"{name} says last: {lab.log(name)}" for name in NAMES.values())]
            with Servers(mirror):
                wrong = comparing.differences(mirror, wanted)
        finally:
            lab.stop(*NAMES.values())
    return [f"{flow}: the kernel {sorted(seen)}, ours {sorted(may)}" for flow, (seen, may) in wrong.items()]


def key(service):
    """(namespace, name)."""
    return service["metadata"]["namespace"], service["metadata"]["name"]


def named(service, slices):
    """Its slices with all that an API server wants of them."""
    space, name = key(service)
    meta = {"namespace": space, "labels": {SERVICE_NAME: name}}
    return [{**one, "metadata": {**one["metadata"], **meta}} for one in slices]


def _cable(space):
    """A cable from the room's switch into a node's network.

    Name and address are new each time: those of a network that has just ended may still be taken.
    """
    number = next(CABLES)
    hosts.ip(
        f"link add vapi{number} type veth peer name api0 netns {space}",
        f"link set vapi{number} master {hosts.SWITCH} up",
    )
    hosts.ip(f"address add {hosts.NETWORK}.{100 + number % 150}/24 dev api0", "link set api0 up", inside=space)
