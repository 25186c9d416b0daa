"""A room with etcd, the API server, and one node's kube-proxy in each mode, each in a network of its own.

Both proxies believe to be node n1. Nothing else runs: Services, their status and EndpointSlices are posted
as a world says. Before a world its proxies' networks have no rules.
"""

import json
import subprocess
from dataclasses import replace

from kubemini.network.decide.rules.network import primary
from kubemini.network.decide.services.ports import IPV4, IPV6
from tests.oracles.ha.real import hosts
from tests.oracles.ha.real.asking import ETCD, SECURE, ask, until
from tests.oracles.ha.real.programs import KUBECONFIG, READY, TOKENS, Failed
from tests.oracles.ha.real.room import DISK
from tests.real.kubeproxy.listing import listed, saved_lines
from tests.real.kubeproxy.worlds import CLUSTER_CIDR, HERE, SERVICE_CIDRS, SPACES

HARDWARE = "02:00:00:00:00:01"  # of the switch, whose own would change with every cable
HOSTS = {"iptables": "h1", "nftables": "h2"}  # whose kube-proxy runs in which mode
CONFIG = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
    "kind": "KubeProxyConfiguration",
    "clusterCIDR": CLUSTER_CIDR,
    "healthzBindAddress": "127.0.0.1:10256",
    "metricsBindAddress": "127.0.0.1:10249",
    "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
}
SERVICES = "/api/v1/namespaces/{}/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"


class Lab:
    """The programs, and what has been posted: by (namespace, name) a Service and its slices."""

    def __init__(self, binary):
        self.binary, self.running, self.posted = str(binary), {}, {}

    # -- programs ------------------------------------------------------------------------------------------
    def up(self):
        """Start etcd and the API server, and make node, networks and namespaces. Raises Failed."""
        hosts.plug(HOSTS.values())
        hosts.ip(f"link set {hosts.SWITCH} address {HARDWARE}")
        for host in HOSTS.values():
            lines = [f"address add {ip}/{'64' if ':' in ip else '24'} dev lan0" for ip in HERE.addresses]
            bridge = ("link add cbr0 type bridge", f"address add {HERE.bridge}/24 dev cbr0")
            hosts.ip("link add lan0 type bridge", *lines, *bridge, inside=host)
        (DISK / "tokens.csv").write_text(TOKENS)
        hosts.run("openssl", "genrsa", "-out", str(DISK / "sa.key"), "2048")
        self._start("etcd", [self.binary, *self._etcd()])
        self._start("api", [self.binary, *self._api()])
        if not until(lambda: ask(hosts.HERE, "/readyz")[0] == 200, READY):
            raise Failed(f"the API server is not ready after {READY} s; it says last:\n{self.log('api')}")
        for space in SPACES[1:]:
            self.must("/api/v1/namespaces", "POST", {"metadata": {"name": space}})
        config = KUBECONFIG.format(server=f"https://{hosts.HERE}:{SECURE}", token="admintoken")
        (DISK / "kubeconfig").write_text(config)

    def _etcd(self):
        here, peer = f"http://127.0.0.1:{ETCD}", f"http://127.0.0.1:{hosts.PEER}"
        return [
            *("etcd", "--name=one", f"--data-dir={DISK}/etcd", "--unsafe-no-fsync"),
            *(f"--listen-client-urls={here}", f"--advertise-client-urls={here}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            f"--initial-cluster=one={peer}",
        ]

    def _api(self):
        return [
            *("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{ETCD}", f"--secure-port={SECURE}"),
            *(f"--bind-address={hosts.HERE}", "--endpoint-reconciler-type=none", f"--cert-dir={DISK}/certificates"),
            *(f"--token-auth-file={DISK}/tokens.csv", "--authorization-mode=RBAC"),
            f"--service-cluster-ip-range={','.join(SERVICE_CIDRS)}",
            *(f"--service-account-key-file={DISK}/sa.key", f"--service-account-signing-key-file={DISK}/sa.key"),
            "--service-account-issuer=https://kubernetes.default.svc",
        ]

    def _start(self, name, command):
        with (DISK / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=DISK)

    def start_proxies(self, options, zone):
        """Start both kube-proxies anew, over empty tables, with *options* on a node of that *zone*."""
        self.stop(*HOSTS)
        self.tell(replace(HERE, zone=zone))
        for mode, host in HOSTS.items():
            self.start_proxy(mode, mode, host, HERE, options)

    def start_proxy(self, name, mode, host, node, options):
        """Start a kube-proxy of *node* in a mode, over empty tables, in the network of *host*."""
        hosts.run("ip", "netns", "exec", host, "nft", "flush", "ruleset")
        client = {"kubeconfig": str(DISK / "kubeconfig")}
        config = {**CONFIG, "mode": mode, "hostnameOverride": node.name, "clientConnection": client}
        path = DISK / f"{name}.json"
        path.write_text(json.dumps({**config, **options}))
        self._start(name, [*hosts.on(host), self.binary, "kube-proxy", f"--config={path}", "--v=2"])

    def stop(self, *names):
        """End programs, if they run."""
        for process in [self.running.pop(name) for name in names if name in self.running]:
            process.terminate()
            process.wait()

    def log(self, name):
        """What a program says last."""
        return (DISK / f"{name}.log").read_text()[-800:]

    def says(self, name, words):
        """Whether a program has said *words* since it was started."""
        return words in (DISK / f"{name}.log").read_text()

    # -- objects -------------------------------------------------------------------------------------------
    def must(self, path, method="GET", body=None):
        """The API server's answer. Raises Failed if it refuses."""
        code, answer = ask(hosts.HERE, path, method, body, patience=20)
        if not 200 <= code < 300:
            raise Failed(f"{method} {path}: {code} {json.dumps(answer)[:600]}")
        return answer

    def tell(self, node):
        """Make the Node object what *node* says."""
        path = f"/api/v1/nodes/{node.name}"
        if ask(hosts.HERE, path)[0] == 404:
            ranges = node.pod_cidr.split(",")
            made = {"metadata": {"name": node.name}, "spec": {"podCIDR": ranges[0], "podCIDRs": ranges}}
            self.must("/api/v1/nodes", "POST", made)
        there = self.must(path)
        there["metadata"]["labels"] = {"topology.kubernetes.io/zone": node.zone} if node.zone else {}
        there = self.must(path, "PUT", there)
        own = [ip for family in (IPV4, IPV6) if (ip := primary(node, family))]
        there["status"]["addresses"] = [{"type": "InternalIP", "address": ip} for ip in own]
        self.must(f"{path}/status", "PUT", there)

    def post(self, services):
        """Make the objects those of *services*: what is other than before is deleted and posted anew."""
        for key, (_, slices) in list(self.posted.items()):
            if services.get(key) != self.posted[key]:
                self._delete(key, slices, keep=key in services and services[key][0] == self.posted[key][0])
        for key, (service, slices) in services.items():
            if key not in self.posted:
                made = self.must(SERVICES.format(key[0]), "POST", service)
                if service["status"].get("loadBalancer", {}).get("ingress"):
                    self.must(
                        f"{SERVICES.format(key[0])}/{key[1]}/status", "PUT", {**made, "status": service["status"]}
                    )
            if self.posted.get(key, (None, ()))[1] != slices:
                for one in slices:
                    self.must(SLICES.format(key[0]), "POST", one)
            self.posted[key] = service, slices

    def _delete(self, key, slices, keep):
        """Delete the slices of a Service, and unless it is to be kept the Service."""
        for one in slices:
            self.must(f"{SLICES.format(key[0])}/{one['metadata']['name']}", "DELETE")
        if keep:
            self.posted[key] = self.posted[key][0], []
        else:
            self.must(f"{SERVICES.format(key[0])}/{key[1]}", "DELETE")
            del self.posted[key]

    def objects(self):
        """(all Services, all EndpointSlices) as the API server shows them."""
        return [self.must(path)["items"] for path in ("/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices")]

    # -- rules ---------------------------------------------------------------------------------------------
    def rules(self, mode, host="", family=IPV4):
        """What the kernel has now, in the form of the recordings, in the network of *host* or of the mode."""
        inside, six = ("ip", "netns", "exec", host or HOSTS[mode]), "6" * (family == IPV6)
        if mode == "iptables":
            return saved_lines(hosts.run(*inside, f"ip{six}tables-save"))
        return listed(hosts.run(*inside, "nft", "list", "ruleset", f"ip{six}"))

    def down(self):
        """End everything."""
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()
