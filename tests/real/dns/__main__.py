"""Random clusters for the real CoreDNS and for ours: ``python -m tests.real.dns`` (`make twin`).

Real etcd, API server and CoreDNS stand in a room of their own, and a name server outside that knows one domain. A
cluster is posted, CoreDNS starts with its options and is asked hundreds of questions; ours gets the same objects from
the same API server. Neither has a cache, so no TTL runs down while they are asked. The seed is printed.
``--clusters 100``: `make soak`.
"""

import argparse
import json
import random
import sys
import time
from functools import partial
from ipaddress import ip_address

from tests.oracles.build import Missing, program
from tests.oracles.ha.real import hosts, room
from tests.oracles.ha.real.asking import ask, until
from tests.oracles.ha.real.programs import Failed
from tests.oracles.ha.real.room import DISK
from tests.oracles.network import dns as table
from tests.real.dns import wire, worlds
from tests.real.kubeproxy.lab import Lab

OUTSIDE = ("127.0.0.1", 5353)
ZONE, ADDRESS = table.EXAMPLE
STANZA = "kubeconfig {disk}/kubeconfig"
NEEDED = {"ip": "iproute2", "unshare": "util-linux", "openssl": "openssl"}
QUESTIONS, READY, SHOWN = 400, 180, 6
TRIES = 3  # on a busy machine an answer is late, or the server outside counts as dead


def main(arguments):
    """Run the clusters; 1 if an answer of one differs, or it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.dns")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="makes the clusters")
    parser.add_argument("--clusters", type=int, default=8, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    asked = parser.parse_args(arguments)
    try:
        if room.inside():
            return clusters(asked.seed, range(asked.first, asked.first + asked.clusters))
        program("kubernetes"), program("coredns")
        named = ["--seed", asked.seed, "--clusters", asked.clusters, "--first", asked.first]
        return room.enter("tests.real.dns", *named, needed=NEEDED)
    except (Missing, Failed, room.Unfit) as why:
        print(why, file=sys.stderr)
        return 1


def clusters(seed, numbers):
    """In a room: all clusters, one after the other; 1 if one differs."""
    room.furnish()
    print(f"seed {seed}: {len(numbers)} clusters", flush=True)
    lab = Lab(program("kubernetes"))
    try:
        lab.up()
        for space, name, ip in worlds.PODS:
            run_pod(lab, space, name, ip)
        wire.Outside(OUTSIDE, ZONE, ADDRESS, table.UPSTREAM_TTL)
        differing = [number for number in numbers if differs(lab, seed, number)]
    finally:
        lab.down()
    for number in differing:
        print(f"again: python -m tests.real.dns --seed {seed} --first {number} --clusters 1")
    print(f"{len(numbers)} clusters for the real CoreDNS and for ours, {len(differing)} differ")
    return 1 if differing else 0


def differs(lab, seed, number):
    """Run a cluster and say what differs; whether anything does."""
    began, options = time.monotonic(), worlds.OPTIONS[number % len(worlds.OPTIONS)]
    lab.post(worlds.world(seed, number))
    objects = lab.objects()
    start(lab, options)
    pods = lab.must("/api/v1/pods")["items"]
    names = [space["metadata"]["name"] for space in lab.must("/api/v1/namespaces")["items"]]
    asked = worlds.questions(random.Random(f"{seed}/{number}/questions"), objects, QUESTIONS)
    mine = table.server(options, *objects, names, pods, cache="")
    mine.store.local = addresses()
    found = [line for name, kind in asked if (line := difference(mine, name, kind))]
    what = f"{len(objects[0])} Services, {', '.join(options)}, {len(asked)} questions"
    print(f"cluster {number}: {what}, {time.monotonic() - began:.0f} s, {len(found)} differences", flush=True)
    for line in found[:SHOWN]:
        print(f"  {line}", flush=True)
    return bool(found)


def run_pod(lab, space, name, ip):
    """A pod that nobody runs, with an address all the same."""
    there = f"/api/v1/namespaces/{space}"
    if not until(lambda: ask(hosts.HERE, f"{there}/serviceaccounts/default")[0] == 200, 0):
        lab.must(f"{there}/serviceaccounts", "POST", {"metadata": {"name": "default"}})
    spec = {"containers": [{"name": "c", "image": "shop/web:1.0"}]}
    made = lab.must(f"{there}/pods", "POST", {"metadata": {"name": name}, "spec": spec})
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}
    lab.must(f"{there}/pods/{name}/status", "PUT", {**made, "status": status})


def start(lab, options):
    """Start CoreDNS anew with these lines in its stanza. Raises Failed."""
    lab.stop("coredns")
    lines = "\n        ".join([STANZA.format(disk=DISK), *options])
    corefile = table.COREFILE.format(zones=table.ZONES, options=lines, cache="")
    corefile = corefile.replace("198.51.100.53", ":".join(map(str, OUTSIDE)))
    (DISK / "Corefile").write_text(corefile)
    lab._start("coredns", [str(program("coredns")), "-conf", str(DISK / "Corefile")])
    if not until(lambda: wire.ask((hosts.HERE, 53), "dns-version.cluster.local.", "TXT", 1.0), READY):
        raise Failed(f"CoreDNS is not ready after {READY} s; it says last:\n{lab.log('coredns')}")


def addresses():
    """The addresses that CoreDNS here believes to be its own: those of all interfaces but the loopback's."""
    links = json.loads(hosts.run("ip", "-j", "address"))
    found = [one["local"] for link in links for one in link["addr_info"]]
    return tuple(ip for ip in found if not ip_address(ip).is_loopback)


def difference(mine, name, kind):
    """What the two answer differently each time they are asked, if anything."""
    said = mine.ask(table.Question(name, kind), partial(table.upstream, *table.EXAMPLE, table.UPSTREAM_TTL))
    ours = {"rcode": said.rcode, "aa": said.aa, "ra": said.ra}
    for part in ("answer", "authority", "additional"):
        ours[part] = sorted(serialless(record) for record in getattr(said, part))
    for _ in range(TRIES):
        real = wire.ask((hosts.HERE, 53), name, kind)
        if real is not None:
            real |= {part: sorted(real[part]) for part in ("answer", "authority", "additional")}
        if real == ours:
            return ""
    return f"{name} {kind}: the real one {real}, ours {ours} ({said.rule})"


def serialless(record):
    """A record as the wire's reader gives it: of an SOA without its number."""
    if record.type != "SOA":
        return str(record)
    host, mail, _, *rest = record.data.split()
    return f"{record.name} {record.ttl} SOA {' '.join([host, mail, '<serial>', *rest])}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
