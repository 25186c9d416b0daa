"""Random sessions for the real CNI plugins and for ours: ``python -m tests.real.cni`` (`make twin`).

Each session stands on a fresh host in a room of its own; after every call the answer and all that is left behind must
be the same: links, addresses, routes, rules of both kinds, files. The seed is printed.
"""

import argparse
import random
import sys

from kubemini.network.decide import cni
from tests.oracles.build import Missing, program
from tests.oracles.ha.real import room
from tests.oracles.network import compare
from tests.oracles.network.cni import Session
from tests.real.cni.host import RealHost, in_order, without_iptables_6
from tests.real.cni.sessions import session
from tests.real.namespaces import ip

NEEDED = {"ip": "iproute2", "unshare": "util-linux", "iptables": "iptables", "nft": "nftables"}
SHOWN = 4
OF_A_PORT = "of a port"


class Twin:
    """A real host and ours, and what each remembers of its containers."""

    def __init__(self, plugins):
        self.real, self.mine = RealHost(plugins), Session()
        self.results = {}

    def differences(self, step):
        """[(part, real, ours)] after a step."""
        path = f"/run/netns/{step.pod}"
        self.real.pod(step.pod)
        self.mine.host.pods.setdefault(path, cni.namespace(path))
        self._by_hand(step, path)
        known = self.results.get(step.container, (None, None)) if step.chained else (None, None)
        real = dict(zip(("rc", "answer"), self.real.call(step, known[0])))
        config = step.config | ({"prevResult": known[1]} if known[1] else {})
        call = cni.Call(step.command, config, step.container, path, args=step.args)
        mine = dict(zip(("rc", "answer"), cni.run(step.plugin, self.mine.host, call)))
        if step.command == "ADD" and real["rc"] == 0 and step.plugin in ("bridge", "ptp"):
            self.results[step.container] = real["answer"], mine["answer"]
        real |= self.real.looks(step.pod)
        mine |= self._looks(path, step.pod)
        return compare.compare({"kind": "cni/plugins.json", "want": without_luck(real)}, without_luck(mine))

    def _by_hand(self, step, path):
        """What somebody does before the call, to both hosts."""
        pod = self.mine.host.pods[path]
        if step.by_hand == "route" and any(route.to == "0.0.0.0/0" for route in pod.routes):
            ip("route delete default", inside=step.pod)
            pod.routes = [route for route in pod.routes if route.to != "0.0.0.0/0"]
        if step.by_hand == "address" and "eth0" in pod.links:
            ip("address flush dev eth0", inside=step.pod)
            for address in list(pod.links["eth0"].addresses):
                pod.remove_address("eth0", address)
        if step.by_hand == "namespace":
            self.real.gone(step.pod)
            self.mine.host.remove_namespace(path)

    def _looks(self, path, name):
        looks = self.mine.looks(path)
        if name not in self.real.pods:
            looks = {part: look for part, look in looks.items() if not part.startswith("pod ")}
        found = {part: look() for part, look in looks.items() if part != "ip_forward"}
        found["host nft"] = without_iptables_6(found["host nft"])
        return found | {"host filter": in_order(self.mine.host.tables[4].saved("filter"))}


def without_luck(seen):
    """*seen*, with one word for the address of a bridge: the lowest of its ports', and the kernel draws those."""
    bridges = {row["ifname"] for row in seen["host links"] if row["kind"] == "bridge"}
    rows = [row | ({"address": OF_A_PORT} if row["ifname"] in bridges else {}) for row in seen["host links"]]
    answer = seen["answer"]
    if isinstance(answer, dict) and "interfaces" in answer:
        said = [one | ({"mac": OF_A_PORT} if one["name"] in bridges else {}) for one in answer["interfaces"]]
        answer = answer | {"interfaces": said}
    return seen | {"host links": rows, "answer": answer}


def main(arguments):
    """Run the sessions; 1 if one differs, or it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.cni")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="makes the sessions")
    parser.add_argument("--sessions", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    asked = parser.parse_args(arguments)
    try:
        if not room.inside():
            program("cni")
            named = ["--seed", asked.seed, "--sessions", asked.sessions, "--first", asked.first]
            return room.enter("tests.real.cni", *named, needed=NEEDED)
        return sessions(program("cni"), asked.seed, range(asked.first, asked.first + asked.sessions))
    except (Missing, room.Unfit) as why:
        print(why, file=sys.stderr)
        return 1


def sessions(plugins, seed, numbers):
    """In a room: all sessions, one after the other; 1 if one differs."""
    room.furnish()
    print(f"seed {seed}: {len(numbers)} sessions of calls", flush=True)
    differing = [number for number in numbers if differs(plugins, seed, number)]
    for number in differing:
        print(f"again: python -m tests.real.cni --seed {seed} --first {number} --sessions 1")
    print(f"{len(numbers)} sessions for the real CNI plugins and for ours, {len(differing)} differ")
    return 1 if differing else 0


def differs(plugins, seed, number):
    """Run a session up to the first step that differs, and say how."""
    twin = Twin(plugins)
    try:
        for at, step in enumerate(session(seed, number)):
            found = twin.differences(step)
            if found:
                print(f"session {number}, step {at}: {step}")
                for part, real, ours in found[:SHOWN]:
                    print(f"  {part}: the real one has {real}, ours {ours}", flush=True)
                return True
    finally:
        twin.real.end()
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
