"""The volumes of one pod: what its containers find in them, and what keeps them from being mounted.

A volume that cannot be mounted is tried again after 0.5, 1, 2 … 122 s, and the pod waits.
Models k/k pkg/kubelet/volumemanager volumeManager.WaitForAttachAndMount
Simplified: only kubelets with `kubelet_details` look; for the others every volume is there and empty. What is neither
an emptyDir nor comes from the API is an empty folder of the pod's own.
"""

from typing import Any

from kubemini.api.kinds import CONFIG_MAP, SECRET
from kubemini.api.objects import Obj, get
from kubemini.containers import Folder
from kubemini.kubelet.decide.pods.mounts import Missing, Needs, contents
from kubemini.kubelet.pods.shared import WARNING, Attended
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND

RETRY = (500 * MS, 122 * SECOND)  # of goroutinemap's exponential back-off
KINDS = {"configmap": CONFIG_MAP, "secret": SECRET}


class Volumes:
    """Of one worker."""

    def __init__(self, worker: Attended):
        self.worker, self.shared = worker, worker.shared
        self.folders: dict[str, Folder] = {}
        self._mounted = False
        self._known: dict[tuple[str, str], Any] = {}

    def mounted(self) -> Steps:
        """Wait until all are there: True; False: the pod is to end meanwhile."""
        volumes = get(self.worker.pod, "spec", "volumes") or ()
        if self._mounted or not volumes:
            return True
        delay, longest = RETRY
        while (wrong := (yield from self._mount(volumes))) is not None:
            self.shared.event(self.worker.pod, WARNING, "FailedMount", wrong)
            if (yield self.worker.pause(delay)) is not None:
                return False
            delay = min(2 * delay, longest)
        self._mounted = True
        return True

    def _mount(self, volumes: Any) -> Steps:
        """Fill the volumes: None, or what is wrong with one."""
        sandbox = self.shared.containers.of_pod.get(self.worker.uid)
        self.folders = sandbox.volumes if sandbox is not None else self.folders
        for volume in volumes:
            if volume["name"] in self.folders:
                continue
            try:
                self.folders[volume["name"]] = yield from self._filled(volume)
            except Missing as error:
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
        return None

    def _filled(self, volume: Obj) -> Steps:
        if not self.shared.params.kubelet_details:
            return Folder()
        needs = Needs()
        for kind, name in needs.of_volume(volume):
            needs.found[kind, name] = yield from self.source(kind, name)
        return contents(self.worker.pod, volume, needs.found, self.shared.now)

    def source(self, kind: str, name: str) -> Steps:
        """A ConfigMap or Secret that the pod names, or None."""
        reply = yield from self.shared.client.get(KINDS[kind], name, self.worker.key[0])
        return reply.value if reply.ok else None
