"""The same troubles in the simulator, told in the same words as `live` tells those of the real programs."""

from dataclasses import replace

from kubemini.host import Host
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network
from tests.real.frontdoor.live import FATES
from tests.worlds.balancer import Server

CHECKS = {"kubeadm": "http", "old": "ssl-hello", "tcp": "tcp"}
NAMES = {  # of a result in HAProxy's statistics: in its log
    "L4CON": "Layer4 connection problem",
    "L4TOUT": "Layer4 timeout",
    "L6TOUT": "Layer6 timeout",
    "L7STS 500": "Layer7 wrong status, code: 500",
    "L4OK": "Layer4 check passed",
    "L6OK": "Layer6 check passed",
    "L7OK": "Layer7 check passed, code: 200",
}
LOOK = 50 * MS
LONG, REST = 30 * SECOND, 20 * SECOND


def checks(check, seed):
    """Fate → [why, what HAProxy made of it] of each check that changed something: in the trouble, and after it."""
    sim = Sim(seed)
    net = Network(sim, replace(Params(), haproxy_check=CHECKS[check]))
    servers = {fate: Server(sim, net, Host(sim, f"host-{n}"), fate) for n, fate in enumerate(FATES.values(), 1)}
    balancer = HAProxy(sim, net, Host(sim, "lb-1"), "haproxy-1", list(servers))
    for component in (*servers.values(), balancer):
        component.start()
    sim.run_until(REST)
    servers["killed"].crash()
    servers["hung"].pause()
    servers["sick"].code = 500
    net.cut([servers["cut off"].host.name], ["lb-1"])
    during = _told(balancer, sim.now + LONG)
    servers["killed"].start()
    servers["hung"].resume()
    servers["sick"].code = 200
    net.heal()
    return {"during": during, "after": _told(balancer, sim.now + REST)}


def _told(balancer, until):
    seen = {server: [] for server in balancer.servers}
    last = {server: health.value for server, health in balancer.health.items()}
    while balancer.sim.now < until:
        balancer.sim.run_until(balancer.sim.now + LOOK)
        for server, health in balancer.health.items():
            if health.value != last[server]:
                last[server] = health.value
                seen[server].append([NAMES[balancer.checks.last[server]], status(health)])
    return seen


def status(health):
    """A server's health as the log has it: ``1/3 UP``, one more failed check and it is down."""
    if health.up:
        return f"{health.value - health.rise + 1}/{health.fall} UP"
    return f"{health.value}/{health.rise} DOWN"
