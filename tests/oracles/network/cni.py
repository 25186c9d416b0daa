"""Recordings of the reference CNI plugins, told by ours: one session of calls on one host, replayed in its order.

A file holds some steps of the session; those it leaves out ran in between, and what they left behind is seen later: an
address that is taken, a chain that is still there. So the whole session is replayed: a step as the file at hand has it,
else as the recording beside this module has it, else as BETWEEN says, which is read off the steps around it.
Not recorded at all: CNI_ARGS, and what was done by hand (a route deleted, a namespace removed), which `about` tells.
"""

import json
import re
from functools import cache, partial
from pathlib import Path

from kubemini.network.decide import cni
from kubemini.network.decide.cni.host.namespaces import Link
from tests.network.cni import reached

KNOWN = Path(__file__).parent / "cni" / "plugins.json"
WORK, BIN = "<work>", "<bin>"

# What ran between the recorded steps, told by what they show.
BETWEEN = {
    5: ("ADD", "bridge", "c1", "h4cp1", 6),  # step 6 finds 10.244.1.3 taken by c1
    22: ("DEL", "bridge", "c1", "h4cp1", 6),  # step 18 left a cable, and pod c1 is not seen again
    24: ("DEL", "bridge", "c3", "h4cp3", 6),  # step 25 adds c3 again, step 36 finds its address free
    27: ("DEL", "bridge", "c2", "h4cp2", 6),  # step 36 finds its address free, step 47 its chain gone
    29: ("ADD", "host-local", "t1", "h4cp1", 28),  # step 36 shows the addresses of t1 and t3
    30: ("ADD", "host-local", "t2", "h4cp1", 28),  # step 35 releases it
    42: ("ADD", "ptp", "p1", "h4cp2", 43),  # step 43 checks it
    52: ("ADD", "bridge", "m1", "h4cp3", 46),  # step 53 forwards ports to 10.244.1.79
    56: ("DEL", "portmap", "m1", "h4cp3", 53),  # step 58 finds its chains empty
}
ASKED = "IP=10.244.1.77"  # CNI_ARGS: step 36 shows this as the last address given
OUTSIDE = "IP=10.244.9.9"  # step 25 quotes it


def answers(path, data):
    """{case: () -> what ours did} for a file of steps."""
    given = {step["step"]: step for step in data["steps"]}
    replay = cache(partial(_replay, given))
    return {f"step {number}": partial(lambda n: replay()[n], number) for number in given}


def _session(given):
    """Every step that is known, in order."""
    known = {step["step"]: step for step in json.loads(KNOWN.read_text())["steps"]} | given
    for number, (command, plugin, container, netns, like) in BETWEEN.items():
        config = known[like]["config"]
        guess = {"command": command, "plugin": plugin, "container": container, "netns": netns, "config": config}
        known.setdefault(number, {"step": number, "about": "", "prevResult": plugin == "portmap"} | guess)
    return [known[number] for number in sorted(known)]


def _replay(given):
    """{step: every part that the file has of it, as ours tells it}."""
    session = Session()
    return {step["step"]: session.step(step) for step in _session(given)}


def _arguments(about):
    """CNI_ARGS, which are not recorded: whoever asks for an address is told by what the step is about."""
    if not re.search("IP=|CNI_ARGS|asked for|same address|taken|in use", about):
        return ""
    if "outside" in about:
        return OUTSIDE
    return ASKED if re.search("unknown|without", about, re.I) else "IgnoreUnknown=1;" + ASKED


class Session:
    """The host of the recording, and what the runtime remembers: the last result of each container."""

    def __init__(self):
        self.host = cni.Host("recorded", plugins=tuple(cni.PLUGINS), path=BIN)
        self.host.own.links["lo"] = Link("lo", mtu=65536)
        self.host.own.links["eth0"] = Link("eth0", "veth", self.host.new_mac())
        self.host.own.set_up("lo")
        self.host.own.set_up("eth0")
        self.host.own.add_address("eth0", "192.168.0.11/24")
        self.results = {}

    def step(self, step):
        """Run a step: {part: what it shows} for the parts that the recording has."""
        if step.get("command") is None:
            return reached.parts(self.host, step)
        self._by_hand(step)
        netns = f"/run/netns/{step['netns']}" if step.get("netns") else ""
        config = dict(step["config"])
        if step.get("prevResult") and step["container"] in self.results:
            config["prevResult"] = self.results[step["container"]]
        args = _arguments(step["about"])
        call = cni.Call(step["command"], config, step.get("container") or "", netns, args=args)
        code, answer = cni.run(step["plugin"], self.host, call)
        if step["command"] == "ADD" and code == 0:
            self.results[step["container"]] = answer
        return {"rc": code, "answer": answer} | {
            part: look() for part, look in self.looks(netns).items() if part in step
        }

    def _by_hand(self, step):
        """What was done without a plugin before the step."""
        path, about = f"/run/netns/{step.get('netns')}", step["about"]
        if "namespace is gone" in about:
            self.host.remove_namespace(path)
        elif step["command"] == "ADD" and not re.search("namespace that does not exist", about):
            self.host.pods.setdefault(path, cni.namespace(path))
        pod = self.host.pods.get(path)
        if re.search("route was (deleted|removed)", about):
            pod.routes = [r for r in pod.routes if r.to != "0.0.0.0/0"]
        if re.search("address was (deleted|removed)", about):
            for address in list(pod.links["eth0"].addresses):
                pod.remove_address("eth0", address)

    def looks(self, netns):
        """How to see the parts of what a step left behind."""
        pod = self.host.pods.get(netns) or cni.namespace(netns)
        return {
            "ipam files": self._files,
            "host links": self.host.rows,
            "pod links": lambda: [link.row() for link in pod.links.values()],
            "host routes": self.host.own.table,
            "pod routes": pod.table,
            "host nft": lambda: self.host.tables[4].shown() + self.host.ruleset.shown(),
            "host iptables": lambda: self.host.tables[4].saved("nat"),
            "ip_forward": lambda: self.host.own.sysctls.get("net/ipv4/ip_forward", "0"),
        }

    def _files(self):
        files = self.host.files.items()
        return {path.removeprefix(WORK): text.replace("\r\n", "\n") for path, text in files if path.startswith(WORK)}
