"""A simulated network built anew of real network namespaces: interfaces, addresses, routes, sysctls.

Everything is read from our `Namespaces`, so what a test compares is the same network twice. Namespaces
are named after this process and go at the end; if it is killed, the next run sweeps them up.
Needs root, iproute2, iptables, nftables, nfacct and conntrack.
"""

import contextlib
import ctypes
import itertools
import os
import shutil
import subprocess

from tests.conftest import SBIN
from tests.real.namespaces import ip, sweep

libc = ctypes.CDLL("libc.so.6", use_errno=True)
NEWNET = 0x40000000
VXLAN_ID = 1
ACCOUNTS = ("ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts")
TABLES = {"main": "main"}
NUMBERS = itertools.count()


def run(*command, text=None, inside=None):
    """A program, in a namespace if one is given; its output. CalledProcessError if it fails."""
    where = (shutil.which("ip", path=SBIN), "netns", "exec", inside) if inside else ()
    program = shutil.which(command[0], path=SBIN) or command[0]
    done = subprocess.run([*where, program, *command[1:]], input=text, text=True, check=True, capture_output=True)
    return done.stdout


class Mirror:
    """The real twin of *net*, while the `with` lasts."""

    def __init__(self, net):
        self.net = net
        self.prefix = f"km{os.getpid()}.{next(NUMBERS)}k"
        self.made = []

    def space(self, name):
        """The real namespace of one of ours."""
        return f"{self.prefix}.{name}"

    def __enter__(self):
        sweep()
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self._build()
            undo.pop_all()
        return self

    def __exit__(self, *_):
        for name in self.made:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip(f"netns del {self.space(name)}")

    @contextlib.contextmanager
    def inside(self, name):
        """This thread in a namespace: a socket that is made there stays there."""
        old = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        new = os.open(f"/run/netns/{self.space(name)}", os.O_RDONLY)
        try:
            if libc.setns(new, NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            libc.setns(old, NEWNET)
            os.close(old)
            os.close(new)

    # -- building ------------------------------------------------------------------------------------
    def _build(self):
        for name in self.net:
            ip(f"netns add {self.space(name)}")
            self.made.append(name)
        for name, here in self.net.items():
            ip(*self._links(name, here), inside=self.space(name))
        for name, here in self.net.items():
            ip(*self._rest(name, here), inside=self.space(name))
            run("sysctl", "-qw", *_sysctls(here), inside=self.space(name))
            self._ports(name, here)

    def _links(self, name, here):
        """Bridges and one end of every veth; the end that comes first in the order makes both."""
        order = list(self.net)
        yield "link set lo up"
        for device in here.interfaces.values():
            if device.kind == "bridge":
                yield f"link add {device.name} mtu {device.mtu} type bridge"
            elif device.kind == "veth" and order.index(name) < order.index(device.peer[0]):
                far = self.net[device.peer[0]].interfaces[device.peer[1]]
                yield (
                    f"link add {device.name} mtu {device.mtu} type veth "
                    f"peer name {far.name} mtu {far.mtu} netns {self.space(device.peer[0])}"
                )

    def _rest(self, name, here):
        """Addresses, masters, VXLAN, routes and rules, in the order in which each may be there."""
        devices = [d for d in here.interfaces.values() if d.kind != "lo"]
        for device in sorted(devices, key=lambda d: d.kind == "vxlan"):
            if device.kind == "vxlan":
                yield (
                    f"link add {device.name} mtu {device.mtu} type vxlan id {VXLAN_ID} "
                    f"dstport 8472 local {device.local} nolearning"
                )
                yield f"link set {device.name} address {_mac(device.local)}"
            yield from (f"addr add {address} dev {device.name}" for address in device.addresses)
            if device.master:
                yield f"link set {device.name} master {device.master}"
            yield f"link set {device.name} up"
        for table, routes in here.routes.tables.items():
            yield from (_route(r, table) for r in routes if r.via or r.kind == "blackhole")
        for s in here.routes.selectors:
            if s.table not in {"local", "main"}:
                yield f"rule add priority {s.priority} {_selector(s)} lookup {_number(s.table)}"
        for device in devices:
            for far, host in device.remotes.items():
                yield f"neigh add {far} lladdr {_mac(host)} dev {device.name} nud permanent"

    def _ports(self, name, here):
        for device in here.interfaces.values():
            if device.master:
                hairpin = "on" if device.hairpin else "off"
                where = ("-n", self.space(name))
                run("bridge", *where, "link", "set", "dev", device.name, "hairpin", hairpin)
            for host in device.remotes.values():
                way = ("append", _mac(host), "dev", device.name, "dst", host)
                run("bridge", "-n", self.space(name), "fdb", *way)

    # -- rules ---------------------------------------------------------------------------------------
    def clear(self, name):
        """No rules and no flows in a namespace."""
        where = self.space(name)
        run("nft", "flush", "ruleset", inside=where)
        run("conntrack", "-F", inside=where)

    def load(self, name, mode, text):
        """The text of a mode into a namespace, in the place of what was there."""
        where = self.space(name)
        if mode == "nftables":
            run("nft", "-f", "-", text=f"flush ruleset\n{text}", inside=where)
            return
        for account in ACCOUNTS:
            with contextlib.suppress(subprocess.CalledProcessError):  # it is there already
                run("nfacct", "add", account, inside=where)
        run("iptables-nft-restore", text=text, inside=where)
        here = self.net[name]
        run("sysctl", "-qw", *_sysctls(here), inside=where)

    def forget(self, name, *what):
        """``conntrack -D``: flows out of the table; that there are none is no error."""
        with contextlib.suppress(subprocess.CalledProcessError):
            run("conntrack", "-D", *what, inside=self.space(name))


def _route(route, table):
    kind = "" if route.kind == "unicast" else f"{route.kind} "
    via = f" via {route.via} dev {route.device} onlink" if route.via else ""
    return f"route add {kind}{route.destination}{via} table {_number(table)}"


def _selector(s):
    parts = [f"{word} {value}" for word, value in (("from", s.source), ("to", s.destination)) if value]
    return " ".join([*parts, *([f"iif {s.incoming}"] if s.incoming else [])])


def _number(table):
    """Tables have numbers: the same for the same name, for as long as this process lives."""
    return TABLES.setdefault(table, str(200 + len(TABLES)))


def _mac(host):
    return "02:00:" + ":".join(f"{int(part):02x}" for part in host.split("."))


def _sysctls(here):
    yield f"net.ipv4.ip_forward={here.forwarding:d}"
    yield f"net.ipv4.conf.all.route_localnet={here.route_localnet:d}"
    yield "net.ipv4.conf.all.rp_filter=0"
    yield "net.ipv4.conf.default.rp_filter=0"
    yield "net.ipv4.icmp_ratelimit=0"
    yield "net.ipv4.icmp_msgs_per_sec=100000"
    if any(d.kind == "bridge" for d in here.interfaces.values()):
        yield f"net.bridge.bridge-nf-call-iptables={here.bridge_nf:d}"
