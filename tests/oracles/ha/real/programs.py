"""The programs of the real cluster and how they are told to work together, as kubeadm would.

Two topologies. *stacked*: h1, h2, h3 each with a member, an API server (its etcd is the one of its own host), a
controller manager and a scheduler, which talk to the API server of their own host. *external*: members on e1, e2, e3,
every API server lists all three. HAProxy on lb1, and with keepalived on lb2 too. A program is called ``etcd@h1``.
Nothing restarts what ends: there is no kubelet that watches. Plain HTTP to etcd, fsync on (a disk in memory).
Flags: FACTS of the recorded trials; HAProxy and keepalived: kubeadm's sample (ha-considerations.md).
"""

import shutil
import signal
import subprocess

from tests.oracles.ha.real import balancing, hosts
from tests.oracles.ha.real.asking import ETCD, SECURE, ask, status, until
from tests.oracles.ha.real.room import DISK

CONTROL = ("h1", "h2", "h3")
TOKENS = """admintoken,admin,admin,system:masters
kcmtoken,system:kube-controller-manager,kcm,
schedtoken,system:kube-scheduler,sched,
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server}", insecure-skip-tls-verify: true}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""
READY = 300  # s, on a busy machine
DOOR = f"https://{hosts.VIRTUAL}:{SECURE}"


class Failed(Exception):
    """The cluster did not come up; the message has the last lines of those who know why."""


class Cluster:
    """Three control planes, their members and their balancers, from *binary*, which is all of Kubernetes and etcd."""

    def __init__(self, binary, topology="stacked", balancers=1, check="kubeadm"):
        self.binary, self.topology, self.check = str(binary), topology, check
        self.members = CONTROL if topology == "stacked" else ("e1", "e2", "e3")
        self.balancers = ("lb1", "lb2")[:balancers]
        self.machines = dict.fromkeys((*CONTROL, *self.members, *self.balancers, "ctl"))
        self.running = {}  # name → process
        self.names = {}  # of members, by id

    # -- programs ------------------------------------------------------------------------------------------------------
    def start(self, *names):
        """Start programs by name."""
        for name in names:
            kind, host = name.split("@")
            folder = self.folder(host)
            command = getattr(self, f"_{kind}")(host)
            with (folder / f"{kind}.log").open("ab") as log:
                self.running[name] = subprocess.Popen([*hosts.on(host), *command], stdout=log, stderr=log, cwd=folder)

    def folder(self, host):
        """The disk of a machine."""
        folder = DISK / host
        folder.mkdir(exist_ok=True)
        return folder

    def _etcd(self, host):
        here = f"http://{hosts.ADDRESSES[host]}"
        all_of_them = ",".join(f"{m}=http://{hosts.ADDRESSES[m]}:{hosts.PEER}" for m in self.members)
        return [
            *(self.binary, "etcd", "--name", host, "--data-dir", "etcd"),
            f"--listen-client-urls={here}:{ETCD},http://127.0.0.1:{ETCD}",
            f"--advertise-client-urls={here}:{ETCD}",
            f"--listen-peer-urls={here}:{hosts.PEER}",
            f"--initial-advertise-peer-urls={here}:{hosts.PEER}",
            f"--initial-cluster={all_of_them}",
            "--snapshot-count=10000",
            "--watch-progress-notify-interval=5s",
        ]

    def _api(self, host):
        all_of_them = ",".join(f"http://{hosts.ADDRESSES[m]}:{ETCD}" for m in self.members)
        servers = f"http://127.0.0.1:{ETCD}" if self.topology == "stacked" else all_of_them
        return [
            *(self.binary, "kube-apiserver", f"--etcd-servers={servers}"),
            f"--secure-port={SECURE}",
            f"--advertise-address={hosts.ADDRESSES[host]}",
            "--endpoint-reconciler-type=lease",
            "--cert-dir=certificates",
            f"--token-auth-file={DISK}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={DISK}/sa.key",
            f"--service-account-signing-key-file={DISK}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
        ]

    def _kcm(self, host):
        return [
            *(self.binary, "kube-controller-manager", f"--kubeconfig={self._kubeconfig('kcm', host)}"),
            *("--bind-address=127.0.0.1", "--cert-dir=kcm-certificates", "--leader-elect=true"),
            f"--service-account-private-key-file={DISK}/sa.key",
            "--use-service-account-credentials=true",
        ]

    def _sched(self, host):
        return [
            *(self.binary, "kube-scheduler", f"--kubeconfig={self._kubeconfig('sched', host)}"),
            *("--bind-address=127.0.0.1", "--cert-dir=sched-certificates", "--leader-elect=true"),
        ]

    def _kubeconfig(self, who, host):
        server = f"https://{hosts.ADDRESSES[host]}:{SECURE}" if host in CONTROL else DOOR
        path = self.folder(host) / f"{who}.kubeconfig"
        path.write_text(KUBECONFIG.format(server=server, token=f"{who}token"))
        return path

    def _haproxy(self, host):
        servers = {name: f"{hosts.ADDRESSES[name]}:{SECURE}" for name in CONTROL}
        config = balancing.haproxy(self.check, SECURE, servers, self.folder(host) / "stats.sock")
        (self.folder(host) / "haproxy.cfg").write_text(config)
        return ["haproxy", "-db", "-f", "haproxy.cfg"]

    def _keepalived(self, host):
        folder = self.folder(host)
        return balancing.keepalived(folder, host == "lb1", hosts.VIRTUAL, SECURE)

    # -- up ------------------------------------------------------------------------------------------------------------
    def up(self):
        """Start everything, one after the other, until it can be used. Raises Failed."""
        hosts.plug(self.machines)
        (DISK / "tokens.csv").write_text(TOKENS)
        hosts.run("openssl", "genrsa", "-out", str(DISK / "sa.key"), "2048")
        self.start(*(f"etcd@{member}" for member in self.members))
        self._wait("etcd", lambda: self.leader() is not None)
        self.start(*(f"api@{host}" for host in CONTROL))
        self.start(*(f"haproxy@{balancer}" for balancer in self.balancers))
        if len(self.balancers) == 1:
            hosts.ip(f"address add {hosts.VIRTUAL}/32 dev eth0", inside="lb1")
        else:
            self.start(*(f"keepalived@{balancer}" for balancer in self.balancers))
        self._wait("api", self.ready)
        self.start(*(f"{kind}@{host}" for kind in ("kcm", "sched") for host in CONTROL))
        self._wait("kcm", lambda: all(self.holder(lease) for lease in LEASES.values()))
        self._wait("haproxy", lambda: ask(hosts.VIRTUAL, "/readyz")[0] == 200)

    def _wait(self, kind, condition):
        if until(condition, READY):
            return
        logs = sorted(DISK.glob(f"*/{kind}.log"))
        tails = "\n".join(f"{log.parent.name}: {log.read_text()[-800:]}" for log in logs)
        raise Failed(f"{kind} is not ready after {READY} s; what they say last:\n{tails}")

    # -- what it looks like --------------------------------------------------------------------------------------------
    def ready(self):
        """Whether every API server says so, and has made its first objects."""
        asked = [ask(hosts.ADDRESSES[h], path) for h in CONTROL for path in ("/readyz", DEFAULT)]
        return all(code == 200 for code, _ in asked)

    def leader(self):
        """The member that leads, and says so; None if none does."""
        found = {member: status(hosts.ADDRESSES[member]) for member in self.members}
        self.names |= {said["header"]["member_id"]: member for member, said in found.items() if said}
        leads = [m for m, said in found.items() if said and said.get("leader") == said["header"]["member_id"]]
        return leads[0] if leads else None

    def holder(self, lease):
        """The machine whose manager holds *lease*; nothing if none does, None if nobody can be asked."""
        for host in CONTROL:
            code, said = ask(hosts.ADDRESSES[host], f"{LEASE}/{lease}")
            if code in (200, 404):
                return said["spec"]["holderIdentity"].partition("_")[0] if code == 200 else ""
        return None

    # -- what can be done to it ----------------------------------------------------------------------------------------
    def signal(self, how, *names):
        """Send a signal to programs; those that are killed are gone when this returns."""
        for name in names:
            self.running[name].send_signal(how)
        if how == signal.SIGKILL:
            for name in names:
                self.running[name].wait()

    def at(self, host):
        """The programs that run on a machine."""
        return [name for name, p in self.running.items() if name.endswith(f"@{host}") and p.poll() is None]

    def down(self):
        """End everything and forget the disks."""
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
        for process in self.running.values():
            process.wait()
        for host in self.machines:
            hosts.run("ip", "netns", "delete", host)
            shutil.rmtree(DISK / host, ignore_errors=True)
        hosts.ip(f"link delete {hosts.SWITCH}")


DEFAULT = "/api/v1/namespaces/default"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEASES = {"kcm": "kube-controller-manager", "sched": "kube-scheduler"}
