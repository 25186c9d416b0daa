"""The trials that can be run on the real cluster: what is struck, how, for how long, and when the client ends.

Their names, roles and times are those of the recorded trials, so that `compare.py` finds what to hold a new run
against. A trial is called by its topology and its fault: ``stacked_etcd_leader_kill``.
"""

import signal
from dataclasses import dataclass

from tests.oracles.ha.real import hosts
from tests.oracles.ha.real.programs import CONTROL, LEASES

KILL, HANG, TERM = "SIGKILL", "SIGSTOP, SIGCONT at the end", "SIGTERM"
CUT = "cut off: every packet to and from it is dropped, its processes live"
OFF, LB_OFF = "cut off, then all its processes killed", "cut off and both processes killed"
PEERS = "its peer port is cut from both other members; clients still reach it"
BETWEEN = "dropped both ways; both reach everything else"
SIGNALS = {KILL: signal.SIGKILL, HANG: signal.SIGSTOP, TERM: signal.SIGTERM}
FOLLOWER = "the first etcd member, in the order of names, that is not the leader"
LEADER, QUORUM = "the etcd leader", "the etcd leader and the first other member"
SERVER, SERVERS = "the API server of h2", "the API servers of h1, h2, h3"
HOST, TWO_HOSTS = "the host of the etcd leader", "the host of the etcd leader and the first other one"
HOST_2, HOSTS_1_2 = "h2", "h1 and h2"
MANAGERS = "the controller manager and the scheduler that hold the leases"
BALANCER, MASTER, LINK = "the balancer", "lb1, which holds the address", "the traffic between lb1 and lb2"
STACKED, EXTERNAL = ("stacked",), ("external",)
BOTH = (*STACKED, *EXTERNAL)


@dataclass(frozen=True)
class Trial:
    """*hold*: seconds until the fault is taken back; *until*: when the client ends; *rate*: fresh reads a second."""

    name: str
    topologies: tuple
    role: str
    how: str
    hold: int
    until: int
    check: str = "kubeadm"
    balancers: int = 1
    rate: int = 2
    kubectl: bool = False


TRIALS = (
    Trial("etcd_follower_kill", BOTH, FOLLOWER, KILL, 10, 18),
    Trial("etcd_follower_hang", BOTH, FOLLOWER, HANG, 25, 37),
    Trial("etcd_follower_hang_long", EXTERNAL, FOLLOWER, HANG, 75, 90),
    Trial("etcd_leader_kill", BOTH, LEADER, KILL, 12, 20),
    Trial("etcd_leader_hang", BOTH, LEADER, HANG, 25, 40),
    Trial("etcd_leader_term", BOTH, LEADER, TERM, 10, 18),
    Trial("etcd_leader_peers_cut", STACKED, LEADER, PEERS, 25, 40),
    Trial("etcd_host_cut", EXTERNAL, HOST, CUT, 60, 80),
    Trial("etcd_quorum_kill", BOTH, QUORUM, KILL, 45, 70, kubectl=True),
    Trial("etcd_quorum_hang", STACKED, QUORUM, HANG, 30, 55, kubectl=True),
    Trial("api_kill", BOTH, SERVER, KILL, 12, 24),
    Trial("api_kill_check-old", STACKED, SERVER, KILL, 10, 18, check="old", rate=3),
    Trial("api_kill_check-tcp", STACKED, SERVER, KILL, 10, 18, check="tcp", rate=3),
    Trial("api_term", STACKED, SERVER, TERM, 12, 24),
    Trial("api_hang", BOTH, SERVER, HANG, 55, 70),
    Trial("all_api_kill", STACKED, SERVERS, KILL, 20, 35, kubectl=True),
    Trial("host_cut", STACKED, HOST, CUT, 60, 80),
    Trial("host_power_off", STACKED, HOST, OFF, 60, 80),
    Trial("host_power_off", EXTERNAL, HOST_2, OFF, 60, 80),
    Trial("two_hosts_power_off", STACKED, TWO_HOSTS, OFF, 60, 90, kubectl=True),
    Trial("two_hosts_power_off", EXTERNAL, HOSTS_1_2, OFF, 60, 90, kubectl=True),
    Trial("kcm_sched_kill", STACKED, MANAGERS, KILL, 25, 29),
    Trial("kcm_sched_hang", STACKED, MANAGERS, HANG, 28, 38),
    Trial("kcm_sched_short_hang", STACKED, MANAGERS, HANG, 8, 14),
    Trial("kcm_sched_term", STACKED, MANAGERS, TERM, 25, 29),
    Trial("balancer_kill", STACKED, BALANCER, KILL, 8, 18, kubectl=True),
    Trial("balancer_hang", STACKED, BALANCER, HANG, 20, 32, kubectl=True),
    Trial("keepalived_power_off", STACKED, MASTER, LB_OFF, 15, 35, balancers=2, rate=3),
    Trial("keepalived_lbs_cut", STACKED, LINK, BETWEEN, 15, 27, balancers=2, rate=3),
)
NAMED = {f"{topology}_{trial.name}": (topology, trial) for trial in TRIALS for topology in trial.topologies}


def hit(cluster, role, leads):
    """The programs or machines that *role* means now; *leads* has kind → machine."""
    leader = leads["etcd"]
    others = [member for member in cluster.members if member != leader]
    return {
        FOLLOWER: lambda: [f"etcd@{others[0]}"],
        LEADER: lambda: [f"etcd@{leader}"],
        QUORUM: lambda: [f"etcd@{leader}", f"etcd@{others[0]}"],
        SERVER: lambda: ["api@h2"],
        SERVERS: lambda: [f"api@{host}" for host in CONTROL],
        HOST: lambda: [leader],
        TWO_HOSTS: lambda: [leader, others[0]],
        HOST_2: lambda: ["h2"],
        HOSTS_1_2: lambda: ["h1", "h2"],
        MANAGERS: lambda: [f"{kind}@{leads[kind]}" for kind in LEASES],
        BALANCER: lambda: ["haproxy@lb1"],
        MASTER: lambda: ["lb1"],
        LINK: lambda: ["lb1", "lb2"],
    }[role]()


class Strike:
    """One fault: `begin` and `end` it."""

    def __init__(self, cluster, how, whom):
        self.cluster, self.how, self.whom = cluster, how, whom
        self.ran = [name for host in whom for name in cluster.at(host)]

    def begin(self):
        """0 s."""
        if self.how in SIGNALS:
            self.cluster.signal(SIGNALS[self.how], *self.whom)
        elif self.how == PEERS:
            self._peers()
        elif self.how == BETWEEN:
            hosts.between(*self.whom)
        else:
            for host in self.whom:
                hosts.cut(host)
            if self.how != CUT:
                self.cluster.signal(signal.SIGKILL, *self.ran)

    def end(self):
        """Take it back: what was struck is started again, and nothing else."""
        if self.how == HANG:
            self.cluster.signal(signal.SIGCONT, *self.whom)
        elif self.how in SIGNALS:
            for name in self.whom:
                self.cluster.running[name].wait()
            self.cluster.start(*self.whom)
        elif self.how in (PEERS, BETWEEN):
            hosts.between_no_more(*self.cluster.machines)
        else:
            for host in self.whom:
                hosts.heal(host)
            if self.how != CUT:
                self.cluster.start(*self.ran)

    def _peers(self):
        (member,) = (name.partition("@")[2] for name in self.whom)
        for other in self.cluster.members:
            if other != member:
                hosts.between(member, other, hosts.PEER)
