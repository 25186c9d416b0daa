"""Sessions of calls by chance: pods come, are looked at, get ports, and go, and now and then something goes wrong."""

import copy
import random
from dataclasses import dataclass, field
from typing import Any

BRIDGE = {
    "cniVersion": "1.1.0",
    "name": "pods",
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": True,
    "ipMasq": True,
    "mtu": 1450,
    "ipam": {
        "type": "host-local",
        "dataDir": "<work>/ipam",
        "ranges": [[{"subnet": "10.244.1.0/28"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    },
}
PTP = {
    "cniVersion": "1.1.0",
    "name": "routed",
    "type": "ptp",
    "ipMasq": True,
    "ipam": {
        "type": "host-local",
        "dataDir": "<work>/ipam",
        "subnet": "10.244.7.0/29",
        "routes": [{"dst": "0.0.0.0/0"}],
    },
}
TWO = [
    [{"subnet": "10.245.1.0/30", "rangeStart": "10.245.1.2"}, {"subnet": "10.245.2.0/29"}],
    [{"subnet": "fd00:9::/64"}],
]
ARGUMENTS = ("", "", "", "IP=10.244.1.9", "IgnoreUnknown=1;IP=10.244.1.9", "IgnoreUnknown=maybe", "none")
WRONG = (
    {"cniVersion": "9.9.9"},
    {"name": ""},
    {"name": "two words"},
    {"ipam": {"type": "nosuch"}},
    {"isDefaultGateway": True},
    {"hairpinMode": True, "promiscMode": True},
    {"bridge": "eth0"},
    {"ipMasqBackend": "ebpf"},
)


@dataclass
class Step:
    """A call, and what is done by hand before it: "", "route" (the pod's default one goes), "address", "namespace"."""

    command: str
    plugin: str
    config: dict[str, Any] = field(default_factory=dict)
    container: str = ""
    pod: str = ""
    args: str = ""
    chained: bool = False  # with the last result of its container
    by_hand: str = ""


def session(seed, number, length=40):
    """The steps of a session; they follow from seed and number."""
    luck = random.Random(f"{seed}/{number}")
    networks = [_bridge(luck), PTP, _bridge(luck) | {"name": "dual", "bridge": "cni1", "ipam": BRIDGE["ipam"] | _two()}]
    steps, there = [], {}
    while len(steps) < length:
        pod = f"p{luck.randrange(6)}"
        if pod not in there:
            config = copy.deepcopy(luck.choice(networks))
            broken = luck.choice(WRONG) if luck.random() < 0.2 else {}
            arguments = luck.choice(ARGUMENTS) if config["type"] == "bridge" else ""
            steps.append(Step("ADD", config["type"], config | broken, pod, pod, arguments))
            there[pod] = config
        else:
            steps += _later(luck, pod, there)
    return steps


def _two():
    return {"ranges": TWO, "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}


def _bridge(luck):
    more = {"hairpinMode": luck.random() < 0.5, "ipMasq": luck.random() < 0.8}
    return BRIDGE | more | ({"ipMasqBackend": "nftables"} if luck.random() < 0.3 else {})


def _later(luck, pod, there):
    """What happens to a pod that is there."""
    config = there[pod]
    call = {"config": config, "container": pod, "pod": pod}
    what = luck.choice(("check", "check", "delete", "delete", "again", "port", "tuning", "limit", "firewall", "harm"))
    if what == "check":
        return [Step("CHECK", config["type"], **call, chained=luck.random() < 0.9)]
    if what == "again":
        return [Step("ADD", config["type"], **call)]
    if what == "harm":
        return [Step("CHECK", config["type"], **call, chained=True, by_hand=luck.choice(("route", "address")))]
    if what == "delete":
        del there[pod]
        hand = "namespace" if luck.random() < 0.2 else ""
        twice = [Step("DEL", config["type"], **call)] if luck.random() < 0.3 else []
        return [Step("DEL", config["type"], **call, by_hand=hand), *twice]
    if what == "firewall" and config["name"] == "dual":
        what = "limit"  # with two families it is chance which of them a firewall's CHECK finds wanting first
    other = _chained(luck, what, config["name"])
    call["config"] = other
    commands = ("ADD", *luck.sample(("CHECK", "DEL", "CHECK", "DEL"), luck.randrange(1, 4)))
    return [Step(command, other["type"], **call, chained=True) for command in commands]


def _chained(luck, what, name):
    """The configuration of a plugin behind the first one."""
    base = {"cniVersion": "1.1.0", "name": name}
    if what == "port":
        mappings = [
            {"hostPort": 8000 + luck.randrange(40), "containerPort": 80, "protocol": luck.choice(("tcp", "udp"))}
            for _ in range(luck.randrange(1, 18))
        ]
        mappings[0]["hostIP"] = luck.choice(("", "0.0.0.0", "192.168.0.11"))
        backend = luck.choice(("iptables", "nftables"))
        snat = {"snat": luck.random() < 0.8, "masqAll": luck.random() < 0.2}
        return base | {"type": "portmap", "backend": backend, "runtimeConfig": {"portMappings": mappings}} | snat
    if what == "tuning":
        data = {"dataDir": "<work>/tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_ignore": luck.choice("012")}}
        more = luck.choice(({}, {"mtu": 1400}, {"mac": "02:11:22:33:44:55", "promisc": True}, {"allmulti": True}))
        return base | {"type": "tuning"} | data | more
    if what == "limit":
        rates = {"ingressRate": 8_000_000, "ingressBurst": 800_000, "egressRate": 16_000_000, "egressBurst": 1_600_000}
        return base | {"type": "bandwidth"} | dict(list(rates.items())[: luck.choice((1, 2, 4))])
    return base | {
        "type": "firewall",
        "backend": "iptables",
        "ingressPolicy": luck.choice(("open", "same-bridge", "isolated")),
    }
