"""The world that recorded lives are played in: one control plane and one node n1 with 2 CPUs and 24 GiB, in process.

What the recording's README says of its machine is said here: the node, the images of its registry, and what was done to
the node by hand (hooks).
"""

import re
from dataclasses import replace

from kubemini.apiserver import flags
from kubemini.cluster import Cluster
from kubemini.cluster.topology import build
from kubemini.kubelet.decide.pods.images import Image
from kubemini.kubelet.pods import static
from kubemini.params import Params, changed
from kubemini.serve.world import AS_REAL
from kubemini.sim.units import SECOND
from tests.oracles.sessions.world import RECORDED, TOKENS, YEAR, Inside

LIMITED = (
    "failed to resolve image: unexpected status from HEAD request to "
    "https://registry.example.test/v2/limited/manifests/1: 429 Too Many Requests"
)
REGISTRY = {  # README of the recordings: what its registry holds; tool:1 is on the node from the start
    "missing": Image(trouble="missing"),
    "wrong": Image(trouble="missing"),
    "absent": Image(trouble="missing"),
    "private": Image(trouble="denied"),
    "limited": Image(trouble=LIMITED),
    **{name: Image() for name in ("pullone", "pullthree", "nocmd", "toolroot")},
    **{name: Image(takes=5 * SECOND) for name in ("pulltwo", "slowa", "slowb")},
}
CAPACITY = {"cpu": "2", "memory": "24684092Ki", "pods": "110", "ephemeral-storage": "40Gi"}
LOADED = {  # a container starts in 0.3 to 3 s
    "pod_start": ["600ms", "6s"],
    "program_start": "250ms",
    "pod_stop": ["100ms", "3s"],
}
NODE, KUBELET, BESIDE = "n1", "kubelet@n1", "kubelet@n2"
TOOL = "registry.example.test/tool:1"
CALLED_OFF = r"cancel|called off|false"
SHUTDOWN = (  # (where it stands in the words of a hook, what it was)
    (r"shutdownGracePeriod\D*(\d+) ?s", 12 * SECOND),
    (r"(?:CriticalPods|critical)\D*(\d+) ?s", 4 * SECOND),
)


class Node(Inside):
    """A cluster with one node, to be asked as the recorder asked a real one."""

    def __init__(self, seed=1, beside=False):
        self.cluster = Cluster(
            _topology(beside), seed=seed, params=changed(Params(), {**AS_REAL, **RECORDED, **LOADED})
        )
        self.sim, self.server = self.cluster.sim, self.cluster.components["apiserver-1"]
        self.server.flags = replace(flags.as_real(TOKENS), disabled_plugins=("TaintNodesByCondition",))
        self.kubelet, self.host = self.cluster.components[KUBELET], self.cluster.hosts[NODE]
        images = {f"registry.example.test/{name}": image for name, image in REGISTRY.items()}
        self.kubelet.registry.images.update(images)
        self.usual = replace(self.kubelet.configuration, capacity=CAPACITY)
        self.kubelet.configuration = self.usual
        self.sim.begin_at(YEAR)
        self.cluster.start()
        if beside:
            self.cluster.components[BESIDE].terminate()
        self.until(lambda: self.server.core.health.ready)
        self.sleep(20)

    # -- what was done to the node ---------------------------------------------------------------------------------
    def hook(self, step, namespace):
        """Do what the recorder did outside of the API, or raise LookupError."""
        acts = {
            "kubelet-stop": lambda: self.kubelet.terminate(),
            "kubelet-start": lambda: self.kubelet.start(),
            "kubelet-conf": lambda: self._configure(step["does"]),
            "static-write": lambda: self._manifest(namespace, step["does"]),
            "static-rm": lambda: self._manifest(namespace, None),
            "kill-container": lambda: self._kill(namespace, "c"),
            "kill-sandbox": lambda: self._kill(namespace, None),
            "kill-all": lambda: self._kill_all(namespace),
            "static-bad": lambda: self._write({"metadata": {"name": "bad"}, "spec": {"containers": [{"image": TOOL}]}}),
            "containerd-stop": lambda: self.host.kernel.containers.serve(False),
            "containerd-start": lambda: self.host.kernel.containers.serve(True),
            "hollow-start": lambda: self.cluster.components[BESIDE].start(),
            "hollow-stop": self._hollow_stop,
            "logind": lambda: self.kubelet.shutting_down.announce(not re.search(CALLED_OFF, step["does"])),
        }
        if step["hook"] not in acts:
            raise LookupError(f"what the hook {step['hook']} does is not simulated: {step['does']}")
        acts[step["hook"]]()

    def _configure(self, does):
        """Restart the kubelet with a configuration that is put in words."""
        changes = {}
        if found := re.search(r"maxPods (\d+)", does):
            changes["max_pods"] = int(found[1])
        if "shutdown" in does.lower():
            changes["shutdown_grace"], changes["shutdown_grace_critical"] = (
                int(found[1]) * SECOND if (found := re.search(pattern, does)) else usual for pattern, usual in SHUTDOWN
            )
        if found := re.search(r"maxContainerRestartPeriod (\d+)s", does):
            changes["crash_loop_backoff"] = (10 * SECOND, int(found[1]) * SECOND)
        if found := re.search(r"evictionPressureTransitionPeriod (\d+)s", does):
            changes["pressure_transition"] = int(found[1]) * SECOND
        if found := re.search(r"memory.available (\d+)Mi under what is free", does):
            how = "eviction_soft" if "evictionSoft" in does else "eviction_hard"
            left = self.kubelet.evicting.free("memory.available") - (int(found[1]) << 20)
            changes[how] = {"memory.available": left}
        elif "nodefs.available" in does:
            changes["eviction_hard"] = {"nodefs.available": self.kubelet.evicting.free("nodefs.available") - (1 << 30)}
        if found := re.search(r"evictionSoftGracePeriod\D*(\d+)s", does):
            changes["eviction_soft_grace"] = {"memory.available": int(found[1]) * SECOND}
        if found := re.search(r"evictionMaxPodGracePeriod (\d+)", does):
            changes["eviction_max_pod_grace"] = int(found[1])
        self.kubelet.terminate()
        self.sleep(1)
        self.kubelet.configuration = replace(self.usual, **changes)
        self.kubelet.start()

    def _manifest(self, namespace, does):
        """A manifest of pod web with a container c, put in words."""
        args = (
            ["crash", "0", "3"]
            if does and "fails at once" in does
            else ["sleep", "2000" if does and "2000" in does else "1000"]
        )
        container = {"name": "c", "image": TOOL, "args": args}
        meta = {"name": "web", "namespace": namespace, "labels": {"app": "web"}}
        spec = {"terminationGracePeriodSeconds": 2, "containers": [container]}
        self._write({"metadata": meta, "spec": spec} if does else None)

    def _write(self, manifest):
        static.write(self.host, "web.yaml", manifest)
        self.kubelet.look_at_files()

    def _kill_all(self, namespace):
        """SIGKILL to every process of every pod, as a reboot does it."""
        runtime = self.host.kernel.containers
        for sandbox in [one for one in runtime.of_pod.values() if one.namespace == namespace]:
            for run in sandbox.view.running():
                runtime.kill(sandbox.uid, run)
            runtime.kill_sandbox(sandbox.uid)

    def _hollow_stop(self):
        """The node beside is ended, and its Node deleted."""
        self.cluster.components[BESIDE].terminate()
        self.sleep(1)
        self.send({"method": "DELETE", "path": "/api/v1/nodes/n2"}, "kubectl")

    def _kill(self, namespace, container):
        """SIGKILL to the process of a container of pod p, or of its sandbox."""
        runtime = self.host.kernel.containers
        (sandbox,) = (one for one in runtime.of_pod.values() if (one.namespace, one.name) == (namespace, "p"))
        if container is None:
            runtime.kill_sandbox(sandbox.uid)
        else:
            runtime.kill(sandbox.uid, sandbox.view.latest(container))


def _topology(beside):
    """The usual one of a single control plane, with its worker called n1, and maybe another one *beside*, n2."""
    topology = build("single", workers=1 + beside)
    return replace(topology, hosts=tuple(_renamed(host) for host in topology.hosts))


def _renamed(host):
    if not host.name.startswith("worker-"):
        return replace(host, components=tuple(name for name in host.components if name != "kubectl"))
    wanted, name = (
        (name for name in host.components if not name.startswith("visitor")),
        host.name.replace("worker-", "n"),
    )
    return replace(host, name=name, zone="", components=tuple(one.replace(host.name, name) for one in wanted))
