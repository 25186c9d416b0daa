"""Random clusters for the real CoreDNS and for ours: ``python -m tests.real.dns`` (`make twin`).

Real etcd, API server and CoreDNS stand in a room of their own, and a name server outside that knows one domain. A
cluster is posted, CoreDNS starts with its options and is asked hundreds of questions; ours gets the same objects from
the same API server. Neither has a cache, so no TTL runs down while they are asked. Then CoreDNS starts anew with rules
that rewrite, and is asked again; then with a cache that serves what is stale, and is asked as a script says, while the
server outside changes its mood; and last it forwards to itself. The seed is printed. ``--clusters 100``: `make soak`.
"""

import argparse
import json
import random
import sys
import time
from ipaddress import ip_address

from tests.oracles.build import Missing, program
from tests.oracles.ha.real import hosts, room
from tests.oracles.ha.real.asking import ask, until
from tests.oracles.ha.real.programs import Failed
from tests.oracles.ha.real.room import DISK
from tests.oracles.network import dns as table
from tests.real.dns import corefiles, wire, worlds
from tests.real.kubeproxy.lab import Lab

OUTSIDE = ("127.0.0.1", 5353)
ZONE, ADDRESS = table.EXAMPLE
STANZA = "kubeconfig {disk}/kubeconfig"
NEEDED = {"ip": "iproute2", "unshare": "util-linux", "openssl": "openssl"}
QUESTIONS, READY, SHOWN = 400, 180, 6
TRIES = 3  # on a busy machine an answer is late, or the server outside counts as dead
SCRIPTS = 5  # how often a script is played at most: only what is asked in time is held
LATE = 0.13  # seconds after which a step's answers are of another age than is meant: less than corefiles.APART
PATIENCE, STORED = 0.05, 0.003  # seconds for a question outside, and until its answer is kept


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
        outside = wire.Outside(OUTSIDE, ZONE, ADDRESS, table.UPSTREAM_TTL)
        differing = [number for number in numbers if differs(Cluster(lab, outside, seed, number))]
    finally:
        lab.down()
    for number in differing:
        print(f"again: python -m tests.real.dns --seed {seed} --first {number} --clusters 1")
    print(f"{len(numbers)} clusters for the real CoreDNS and for ours, {len(differing)} differ")
    return 1 if differing else 0


class Cluster:
    """What is posted, and what both are told and asked."""

    def __init__(self, lab, outside, seed, number):
        self.lab, self.outside, self.seed, self.number = lab, outside, seed, number
        self.options = worlds.OPTIONS[number % len(worlds.OPTIONS)]
        lab.post(worlds.world(seed, number))
        self.objects = lab.objects()
        self.pods = lab.must("/api/v1/pods")["items"]
        self.spaces = [space["metadata"]["name"] for space in lab.must("/api/v1/namespaces")["items"]]
        meta = [service["metadata"] for service in self.objects[0]]
        self.names = [f"{one['name']}.{one['namespace']}.svc.cluster.local" for one in meta]
        self.questions = worlds.questions(self.luck("questions"), self.objects, QUESTIONS)
        self.fetched = 0  # how often ours has asked outside

    def luck(self, what):
        """Numbers for *what*."""
        return random.Random(f"{self.seed}/{self.number}/{what}")

    def ours(self, more=""):
        """Our CoreDNS, with *more* lines in its block."""
        mine = table.server(self.options, *self.objects, self.spaces, self.pods, cache=more)
        mine.store.local = addresses()
        return mine

    def start(self, more=""):
        """Start the real one anew, with *more* lines in its block."""
        lines = "\n        ".join([STANZA.format(disk=DISK), *self.options])
        start(self.lab, table.COREFILE.format(zones=table.ZONES, options=lines, cache=more))

    def upstream(self, asked):
        """What the server outside answers as it is."""
        self.fetched += 1
        if self.outside.mood in ("SERVFAIL", "REFUSED"):
            return table.Answer(self.outside.mood, ra=True)
        zone = self.outside.zone if self.outside.mood == "well" else "nobody.test."
        return table.upstream(zone, self.outside.ip, table.UPSTREAM_TTL, asked)

    def wait_for_outside(self, asked, fetched):
        """After an answer: the real one may still look for a new one in the background, as ours has done at once."""
        if self.fetched > fetched:
            until(lambda: self.outside.asked - asked >= self.fetched - fetched, PATIENCE, every=0.001)
            time.sleep(STORED)


def differs(cluster):
    """Run a cluster and say what differs; whether anything does."""
    began = time.monotonic()
    found = [*plain(cluster), *rewriting(cluster), *serving_stale(cluster), *looping(cluster)]
    what = f"{len(cluster.objects[0])} Services, {', '.join(cluster.options)}, {2 * QUESTIONS} questions, a script"
    print(f"cluster {cluster.number}: {what}, {time.monotonic() - began:.0f} s, {len(found)} differences", flush=True)
    for line in found[:SHOWN]:
        print(f"  {line}", flush=True)
    return bool(found)


def plain(cluster):
    """What differs with the options alone."""
    cluster.start()
    mine = cluster.ours()
    return [line for question in cluster.questions if (line := difference(mine, cluster.upstream, *question))]


def rewriting(cluster):
    """What differs where questions are rewritten."""
    luck = cluster.luck("rewrites")
    lines = corefiles.rewrites(luck, cluster.names)
    more = "\n".join(lines)
    cluster.start(more)
    mine, found = cluster.ours(more), []
    for name, kind in corefiles.moved(luck, cluster.questions):
        klass = "CH" if luck.random() < 0.02 else "IN"
        found.append(difference(mine, cluster.upstream, name, kind, klass))
    return [f"{lines}: {line}" for line in found if line]


def serving_stale(cluster):
    """What differs in a script of a cache that serves what is stale."""
    luck = cluster.luck("stale")
    more = corefiles.CACHE.format(stale=luck.choice(corefiles.STALE))
    steps = corefiles.script(luck, cluster.names)
    for _ in range(SCRIPTS):
        cluster.start(more)
        found, late = played(cluster, cluster.ours(more), steps)
        if not (found and late):
            return [f"{more.split(chr(10))[-2]}: {line}" for line in found]
    print(f"cluster {cluster.number}: {SCRIPTS} times a step of the script came late, so it is not held", flush=True)
    return []


def played(cluster, mine, steps):
    """Play the steps of a script: what differs, and whether a step took too long for its answers to be held."""
    began, found, late = time.monotonic(), [], False
    for at, mood, ip, asked in steps:
        time.sleep(max(0, began + at - time.monotonic()))
        cluster.outside.mood, cluster.outside.ip = mood, ip
        for name, kind in asked:
            mine.now = round((time.monotonic() - began) * 1_000_000)
            before = cluster.outside.asked, cluster.fetched
            found.append(difference(mine, cluster.upstream, name, kind, tries=1))
            cluster.wait_for_outside(*before)
        late |= time.monotonic() - began > at + LATE
    cluster.outside.mood, cluster.outside.ip = "well", ADDRESS
    return [line for line in found if line], late


def looping(cluster):
    """What differs where CoreDNS forwards to itself: how many at once is all that ends it."""
    luck = cluster.luck("looping")
    text = corefiles.LOOPING.format(most=luck.randint(1, 25), cache=luck.choice(("", "cache 30")))
    start(cluster.lab, text, ready=("nobody.test.", "A"))
    mine = table.CoreDNS(text)

    def itself(asked):
        return mine.ask(asked.question, itself)

    return [line for name in ("api.example.com.", "nosuch.test.") if (line := difference(mine, itself, name, "A"))]


def run_pod(lab, space, name, ip):
    """A pod that nobody runs, with an address all the same."""
    there = f"/api/v1/namespaces/{space}"
    if not until(lambda: ask(hosts.HERE, f"{there}/serviceaccounts/default")[0] == 200, 0):
        lab.must(f"{there}/serviceaccounts", "POST", {"metadata": {"name": "default"}})
    spec = {"containers": [{"name": "c", "image": "shop/web:1.0"}]}
    made = lab.must(f"{there}/pods", "POST", {"metadata": {"name": name}, "spec": spec})
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}
    lab.must(f"{there}/pods/{name}/status", "PUT", {**made, "status": status})


def start(lab, corefile, ready=("dns-version.cluster.local.", "TXT")):
    """Start CoreDNS anew with this Corefile; it is there when it answers the question *ready*. Raises Failed."""
    lab.stop("coredns")
    (DISK / "Corefile").write_text(corefile.replace("198.51.100.53", ":".join(map(str, OUTSIDE))))
    lab._start("coredns", [str(program("coredns")), "-conf", str(DISK / "Corefile")])
    if not until(lambda: wire.ask((hosts.HERE, 53), *ready, 1.0), READY):
        raise Failed(f"CoreDNS is not ready after {READY} s; it says last:\n{lab.log('coredns')}")


def addresses():
    """The addresses that CoreDNS here believes to be its own: those of all interfaces but the loopback's."""
    links = json.loads(hosts.run("ip", "-j", "address"))
    found = [one["local"] for link in links for one in link["addr_info"]]
    return tuple(ip for ip in found if not ip_address(ip).is_loopback)


def difference(mine, upstream, name, kind, klass="IN", tries=TRIES):
    """What the two answer differently each time they are asked, if anything."""
    said = mine.ask(table.Question(name, kind, klass=klass), upstream)
    ours = {"rcode": said.rcode, "aa": said.aa, "ra": said.ra}
    for part in ("answer", "authority", "additional"):
        ours[part] = sorted(serialless(record) for record in getattr(said, part))
    for _ in range(tries):
        real = wire.ask((hosts.HERE, 53), name, kind, klass=klass)
        if real is not None:
            real |= {part: sorted(real[part]) for part in ("answer", "authority", "additional")}
        if real == ours:
            return ""
    return f"{name} {klass} {kind}: the real one {real}, ours {ours} ({said.rule})"


def serialless(record):
    """A record as the wire's reader gives it: of an SOA without its number."""
    if record.type != "SOA":
        return str(record)
    host, mail, _, *rest = record.data.split()
    return f"{record.name} {record.ttl} SOA {' '.join([host, mail, '<serial>', *rest])}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
