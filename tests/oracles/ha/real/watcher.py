"""What is seen of the real cluster from outside during a trial: changes only, each with the second it was seen.

Health of each API server, each member's view of its leader, HAProxy's view of each server, who holds the Leases, the
addresses of the `kubernetes` Service, programs that end, who holds the virtual address. A thread each, as some of them
have to wait for an answer. The words are those of the recorded trials.
"""

import threading
import time

from tests.oracles.ha.real import hosts
from tests.oracles.ha.real.asking import ask, status
from tests.oracles.ha.real.balancing import servers_of
from tests.oracles.ha.real.programs import CONTROL, LEASE, LEASES

HEALTH, PATIENCE, SLOW = 1.2, 8, 2  # s between two looks, for the answer, and what is called slow
OFTEN, SELDOM = 0.2, 1.0
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"


class Watcher:
    """Looks until `end`; `changes` are (instant, what, value), `texts` whole answers of failing servers."""

    def __init__(self, cluster):
        self.cluster, self.changes, self.last, self.texts = cluster, [], {}, {}
        self.over = threading.Event()
        self.broken = []
        looks = [(self._health, host, HEALTH) for host in CONTROL]
        looks += [(self._member, member, OFTEN) for member in cluster.members]
        looks += [(self._balancer, balancer, OFTEN) for balancer in cluster.balancers]
        looks += [(self._leases, None, SELDOM), (self._programs, None, OFTEN)]
        looks += [(self._address, None, OFTEN)] if len(cluster.balancers) == 2 else []
        self.threads = [threading.Thread(target=self._again, args=look) for look in looks]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Look no more; all changes in the order of their instants. Raises what a look has raised."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.broken:
            raise self.broken[0]
        return sorted(self.changes, key=lambda change: change[0])

    def _again(self, look, whom, pause):
        try:
            while not self.over.wait(pause):
                look(whom)
        except Exception as error:  # of a thread: `end` raises it
            self.broken.append(error)

    def note(self, what, value, at=None):
        """Keep *value*, if it is news."""
        if self.last.get(what) != value:
            self.last[what] = value
            self.changes.append((time.time() if at is None else at, what, value))

    def _health(self, host):
        for path in ("readyz", "livez"):
            since = time.time()
            code, text = ask(hosts.ADDRESSES[host], f"/{path}?verbose", patience=PATIENCE)
            failing = [line for line in str(text).splitlines() if line.startswith("[-]")] if code else [text]
            failing = [line.split(" failed")[0].replace("poststarthook/", "hook ") for line in failing]
            slow = " (slow: over 2 s)" if time.time() - since > SLOW else ""
            said = f"{code} {' | '.join(failing)}"
            self.note(f"{path} {host}", said + slow, since)
            if code not in (0, 200):
                self.texts.setdefault(f"{path} {said}", text)

    def _member(self, member):
        since = time.time()
        said = status(hosts.ADDRESSES[member])
        if said is None:
            self.note(f"etcd {member}", "no answer", since)
            return
        names = self.cluster.names
        names.setdefault(said["header"]["member_id"], member)
        leader = names.get(said.get("leader", "0"), said.get("leader", "none"))
        errors = f" errors {said['errors']}" if said.get("errors") else ""
        self.note(f"etcd {member}", f"leader {leader} term {said.get('raftTerm')}{errors}", since)

    def _balancer(self, balancer):
        servers = servers_of(self.cluster.folder(balancer) / "stats.sock")
        if servers is None:
            self.note(balancer, "no answer")
            return
        self.note(balancer, "answers")
        for name, row in servers.items():
            result, code = row["check_status"], row["check_code"]
            if not result.startswith("*"):  # else a check is on its way
                wrong = code if code not in ("", "0", "200") else ""
                self.note(f"{balancer} {name}", f"{row['status']} {result} {wrong}".strip())

    def _leases(self, _):
        for host in CONTROL:
            code, said = ask(hosts.ADDRESSES[host], SLICES, patience=2)
            if code == 200:
                addresses = [a.split(".")[-1] for e in said["endpoints"] for a in e["addresses"]]
                self.note("kubernetes endpoints", sorted(addresses))
                break
        else:
            return
        for lease in LEASES.values():
            code, said = ask(hosts.ADDRESSES[host], f"{LEASE}/{lease}", patience=2)
            if code == 200:
                holder, moved = said["spec"]["holderIdentity"], said["spec"].get("leaseTransitions", 0)
                self.note(f"holder {lease}", holder.partition("_")[0])
                self.note(f"lease {lease}", f"{holder[-8:]} transitions {moved}")

    def _programs(self, _):
        for name, process in list(self.cluster.running.items()):
            code = process.poll()
            self.note(f"process {name}", "up" if code is None else f"exit {code}")

    def _address(self, _):
        holds = [b for b in self.cluster.balancers if f" {hosts.VIRTUAL}/" in _addresses(b)]
        self.note("address", " ".join(holds))


def _addresses(host):
    return hosts.run("ip", "-n", host, "-o", "-4", "address")
