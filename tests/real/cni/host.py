"""A real host for the plugins, in a room: a namespace with eth0, one a pod, and looks at what is in them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.oracles.ha.real.room import DISK
from tests.real.namespaces import ip

HOST, OUTSIDE = "host", "outside"
WORK = DISK / "cni"
ROUTE = ("dst", "gateway", "dev", "scope", "prefsrc")


class RealHost:
    """*plugins* is the folder of the programs."""

    def __init__(self, plugins):
        self.plugins, self.pods = Path(plugins), set()
        WORK.mkdir()
        ip(f"netns add {HOST}", f"netns add {OUTSIDE}")
        ip(f"link add eth0 netns {HOST} type veth peer name eth0 netns {OUTSIDE}")
        ip("link set lo up", "address add 192.168.0.11/24 dev eth0", "link set eth0 up", inside=HOST)
        ip("link set lo up", "link set eth0 up", inside=OUTSIDE)

    def pod(self, name):
        """A namespace of that name, if it is not there."""
        if name not in self.pods:
            self.pods.add(name)
            ip(f"netns add {name}")
            ip("link set lo up", inside=name)

    def gone(self, name):
        """The namespace goes; its cable first, as the kernel takes its time over what is in a namespace."""
        self.pods.discard(name)
        if any(link["ifname"] == "eth0" for link in links(name)):
            ip("link delete eth0", inside=name)
        ip(f"netns delete {name}")

    def end(self):
        """Nothing is left but the room."""
        for name in [HOST, OUTSIDE, *self.pods]:
            ip(f"netns delete {name}")
        shutil.rmtree(WORK)

    def call(self, step, previous):
        """Run a step: (exit code, answer)."""
        config = json.loads(json.dumps(step.config).replace("<work>", str(WORK)))
        if previous:
            config["prevResult"] = previous
        environment = {
            "PATH": os.environ["PATH"],
            "CNI_PATH": str(self.plugins),
            "CNI_COMMAND": step.command,
            "CNI_CONTAINERID": step.container,
            "CNI_NETNS": f"/run/netns/{step.pod}" if step.pod else "",
            "CNI_IFNAME": "eth0",
            "CNI_ARGS": step.args,
        }
        program = ["ip", "netns", "exec", HOST, str(self.plugins / step.plugin)]
        done = subprocess.run(program, input=json.dumps(config), capture_output=True, text=True, env=environment)
        said = done.stdout.replace(str(WORK), "<work>").replace(str(self.plugins), "<bin>")
        said = re.sub(r"is 0x[0-9a-f]+, current value is (true|false)", _unlike, said)
        return done.returncode, json.loads(said) if said.strip() else None

    def looks(self, pod):
        """What is there now, part by part."""
        found = {
            "host links": links(HOST),
            "host routes": routes(HOST),
            "host iptables": _saved("nat"),
            "host filter": in_order(_saved("filter")),
            "host nft": without_iptables_6(_told("nft", "list", "ruleset")),
            "ipam files": _files(),
        }
        inside = {"pod links": links(pod), "pod routes": routes(pod)} if pod in self.pods else {}
        return found | inside


def _unlike(found):
    """tuning prints where the wanted value lies; it is the other one."""
    return f"is {'false' if found[1] == 'true' else 'true'}, current value is {found[1]}"


def _told(*command, inside=HOST):
    done = subprocess.run(["ip", "netns", "exec", inside, *command], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def in_order(rules):
    """*rules*, sorted, though not by the names of links, which the plugins draw."""
    return sorted(rules, key=lambda rule: re.sub(r"\bveth[0-9a-f]{8}\b", "veth", rule))


def links(space):
    """Links with their addresses, as the recording shows them."""
    found = []
    for link in json.loads("".join(_told("ip", "-json", "-details", "address", inside=space))):
        addresses = [f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] != "link"]
        row = {key: link[key] for key in ("ifname", "mtu", "link_type", "address", "master") if key in link}
        found.append(row | {"kind": link.get("linkinfo", {}).get("info_kind"), "addrs": addresses})
    return found


def routes(space):
    """The main table of IPv4."""
    text = "".join(_told("ip", "-json", "route", inside=space))
    return [{key: route[key] for key in ROUTE if key in route} for route in json.loads(text or "[]")]


def _saved(table):
    lines = [line for line in _told("iptables-save", "-t", table) if not line.startswith("#")]
    return [re.sub(r" \[\d+:\d+\]", "", line) for line in lines]


def without_iptables_6(lines):
    """nft's lines without counters, and without ip6tables: this nft has no words for its targets."""
    kept, skipping = [], False
    for line in (re.sub(r"counter packets \d+ bytes \d+ ?", "", line).strip() for line in lines):
        if line.startswith("table "):
            skipping = line.startswith(("table ip6 nat", "table ip6 filter"))
        if not skipping and line not in ("", "}"):
            kept.append(line)
    return kept


def _files():
    found = {path.relative_to(WORK): path for path in WORK.rglob("*") if path.is_file()}
    return {f"/{name}": path.read_bytes().decode().replace("\r\n", "\n") for name, path in found.items()}
