"""The static pods of one kubelet: it reads the manifests of its host, runs them, and keeps their mirrors in the API.

Invariant: what runs follows the files, what the API shows follows what runs; a pod whose manifest was changed starts
when the one before has ended.
Models k/k pkg/kubelet/config sourceFile.listConfig; k/k pkg/kubelet Kubelet.tryReconcileMirrorPods
Simplified: a changed file is noticed a second later (inotify), never only by the check each 20 s.
"""

from collections.abc import Callable
from typing import Any

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import Obj
from kubemini.host import Host
from kubemini.kubelet.decide.pods import staticpods
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.table import FINISHED
from kubemini.kubelet.pods.shared import Attended, Shared
from kubemini.kubelet.pods.statuses import Statuses
from kubemini.kubelet.pods.worker import PodWorker
from kubemini.sim import Steps

FILES = "manifests"  # staticPodPath, of the disk: {name of the file: manifest}


def write(host: Host, file: str, manifest: Any) -> None:
    """Put a manifest into the folder of *host*; None takes it away. Then tell its kubelet (`Kubelet.look_at_files`)."""
    files = host.disk.files.setdefault(FILES, {})
    if manifest is None:
        files.pop(file, None)
    else:
        files[file] = manifest


class Static:
    """Of one incarnation of a kubelet."""

    def __init__(
        self, shared: Shared, statuses: Statuses, workers: dict[str, PodWorker], make: Callable[[Obj], PodWorker]
    ):
        self.shared, self.statuses, self.workers, self.make = shared, statuses, workers, make
        self.of_file: dict[str, str] = {}  # file: uid
        self.mirrors: dict[tuple[str, str], Obj] = {}  # by (namespace, name)

    def look(self) -> None:
        """Compare what runs with the files."""
        files = self.shared.host.disk.files.get(FILES, {})
        node = self.shared.host.name
        good = {file: manifest for file, manifest in files.items() if not self._is_bad(file, manifest)}
        wanted = {file: staticpods.static_pod(manifest, node, self.shared.wall) for file, manifest in good.items()}
        before: dict[str, PodWorker | None] = {}
        for file, uid in list(self.of_file.items()):
            if file not in wanted or wanted[file]["metadata"]["uid"] != uid:
                del self.of_file[file]
                before[file] = self.workers.get(uid)
                self._end(uid, replaced=file in wanted)
        for file, pod in wanted.items():
            if file not in self.of_file:
                self.of_file[file] = pod["metadata"]["uid"]
                self.shared.component.spawn(self._begin(pod, before.get(file)))

    def _is_bad(self, file: str, manifest: Any) -> bool:
        problem = staticpods.problem(manifest)
        if problem:
            text = f"the manifest {file} is no pod, and is passed over: {problem}"
            self.shared.component.sim.remark(self.shared.component.name, text)
        return bool(problem)

    def _end(self, uid: str, replaced: bool) -> None:
        worker = self.workers.get(uid)
        if worker is not None:
            if replaced:  # the mirror is the next one's already
                worker.mirror_uid = ""
                self.workers.pop(uid)
                worker.orphan()
                return
            worker.life.leaves = True
            worker.wake()

    def _begin(self, pod: Obj, after: PodWorker | None) -> Steps:
        """Run it when the one *after* which it comes has ended."""
        while after is not None and after.life.state != FINISHED:
            yield self.shared.component.timeout(RELIST)
        if pod["metadata"]["uid"] in self.of_file.values():
            self.make(pod).wake()

    # -- mirrors -------------------------------------------------------------------------------------------------------
    def changed(self, old: Obj | None, new: Obj | None) -> None:
        """The API has another mirror."""
        pod = new if new is not None else old
        assert pod is not None, "something has changed"
        key = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if new is None:
            self.mirrors.pop(key, None)
        else:
            self.mirrors[key] = new
        worker = self.workers.get(staticpods.mirrored(pod))
        if worker is not None and new is not None and staticpods.is_good(new, worker.pod):
            if worker.mirror_uid == new["metadata"]["uid"]:
                return
            worker.mirror_uid, worker.reported = new["metadata"]["uid"], None
            self.statuses.queue.add_after(worker.uid, self.shared.params.pod_status_sync)

    def reconcile(self, worker: Attended) -> Steps:
        """The mirror of a static pod is as it should be, or is made so."""
        found = self.mirrors.get(worker.key)
        if staticpods.is_good(found, worker.pod):
            return
        client, (namespace, name) = self.shared.client, worker.key
        worker.mirror_uid = ""
        if found is not None:
            yield from client.delete(POD, name, namespace, gracePeriodSeconds=0)
        node = yield from client.get(NODE, self.shared.host.name)
        uid = node.value["metadata"]["uid"] if node.ok else ""
        yield from client.create(staticpods.mirror(worker.pod, uid))

    def over(self, worker: Attended) -> Steps:
        """A static pod has ended: its mirror goes."""
        namespace, name = worker.key
        if worker.mirror_uid:
            preconditions = {"uid": worker.mirror_uid}
            yield from self.shared.client.delete(
                POD, name, namespace, gracePeriodSeconds=0, preconditions=preconditions
            )
        self.shared.containers.remove(worker.uid)
        self.workers.pop(worker.uid, None)
