"""Random clusters for the real kube-proxy and for ours: ``python -m tests.real.kubeproxy`` (`make twin`).

Real etcd, API server and kube-proxy (one in each mode) stand in a room of their own. A cluster is posted, the
proxies start with its options, then it changes twice while they run; each time their rules, of IPv4 and of
IPv6, must become ours. The seed is printed. In a large cluster rules that do not change keep the form they
once had: there the proxies are started anew for each state. A real proxy that learnt something too late
(holding.py) is started once more. At the end packets go through rules of real kube-proxies (fates.py).
``--clusters 100``: `make soak`. ``--speed 5000``: only how long both take for so many Services.
"""

import argparse
import random
import sys
import time
from dataclasses import replace
from itertools import product

from kubemini.network.decide.services.ports import IPV4, IPV6
from tests.oracles.build import Missing, program
from tests.oracles.ha.real import room
from tests.oracles.ha.real.programs import Failed
from tests.real.kubeproxy import fates, speed, worlds
from tests.real.kubeproxy.holding import Proxy, held
from tests.real.kubeproxy.lab import HOSTS, Lab

NEEDED = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "openssl": "openssl",
    "iptables": "iptables",
    "nft": "nftables",
    "sysctl": "procps",
}
FAMILIES = (IPV4, IPV6)
CHANGES, SHOWN = 2, 6


def main(arguments):
    """Run the clusters; 1 if the rules of one differ, or it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.kubeproxy")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="makes the clusters")
    parser.add_argument("--clusters", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--speed", type=int, metavar="SERVICES", help="only measure, with so many Services")
    asked = parser.parse_args(arguments)
    try:
        if not room.inside():
            program("kubernetes")
            named = ["--seed", asked.seed, "--clusters", asked.clusters, "--first", asked.first]
            named += ["--speed", asked.speed] if asked.speed else []
            return room.enter("tests.real.kubeproxy", *named, needed=NEEDED)
        if asked.speed:
            return measured(asked.speed)
        return clusters(asked.seed, range(asked.first, asked.first + asked.clusters))
    except (Missing, Failed, room.Unfit) as why:
        print(why, file=sys.stderr)
        return 1


def measured(many):
    """In a room: how long both take for so many Services."""
    room.furnish()
    lab = Lab(program("kubernetes"))
    try:
        lab.up()
        speed.report(lab, many)
    finally:
        lab.down()
    return 0


def clusters(seed, numbers):
    """In a room: all clusters, one after the other; 1 if one differs."""
    room.furnish()
    print(f"seed {seed}: {len(numbers)} clusters", flush=True)
    lab = Lab(program("kubernetes"))
    try:
        lab.up()
        differing = [number for number in numbers if differs(lab, seed, number)]
        lab.stop(*HOSTS)
        lost = sum(packets_differ(lab, seed + n, mode) for n in range(1 + len(numbers) // 10) for mode in HOSTS)
    finally:
        lab.down()
    for number in differing:
        print(f"again: python -m tests.real.kubeproxy --seed {seed} --first {number} --clusters 1")
    print(f"{len(numbers)} clusters for the real kube-proxy and for ours, {len(differing)} differ")
    return 1 if differing or lost else 0


def packets_differ(lab, seed, mode):
    """Send the same packets through the real one's rules and ours; whether one has another fate."""
    began, found = time.monotonic(), fates.differences(lab, seed, mode)
    what = f"{fates.FLOWS} flows through three real kube-proxies, {mode}: {time.monotonic() - began:.0f} s"
    print(f"{what}, {len(found)} differences", flush=True)
    for line in found[:SHOWN]:
        print(f"  {line}")
    return bool(found)


def differs(lab, seed, number):
    """Run a cluster and say what differs; whether anything does."""
    began, world, found = time.monotonic(), worlds.world(seed, number), []
    node = replace(worlds.HERE, zone=world.zone)
    for change in range(1 + CHANGES):
        if change:
            worlds.change(world)
        lab.post(world.services)
        if not change or world.large:
            lab.start_proxies(world.options[1], world.zone)
        for mode, family in product(HOSTS, FAMILIES):
            proxy = Proxy(mode, mode, HOSTS[mode], node, *world.options)
            found += [f"{mode}, {family}, change {change}: {line}" for line in held(lab, proxy, family)]
    what = f"{len(world.services)} Services, {world.options[0]}, {time.monotonic() - began:.0f} s"
    print(f"cluster {number}: {what}, {len(found)} differences", flush=True)
    for line in found[:SHOWN]:
        print(f"  {line}", flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
