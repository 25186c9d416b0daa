"""The volumes of one pod: what its containers find in them, and what keeps them from being mounted.

A volume that cannot be mounted is tried again after 0.5, 1, 2 … 122 s, and the pod waits. What a volume is made of is
watched: a change is in the files with the pod's next regular turn, up to 90 s later; so is another token, when one is
due, or the kubelet is another. Nothing happens in between, and nothing changes once the pod is to end.
Models k/k pkg/kubelet/volumemanager volumeManager.WaitForAttachAndMount
Models k/k pkg/kubelet/util/manager NewWatchBasedManager
Simplified: each pod watches for itself; only kubelets with `kubelet_details` look; for the others every volume is there
and empty. Of a node's disk there are the usual folders and two devices, and no sockets. What is none of these, nor
comes from the API, is an empty folder of the pod's own. An image in a volume is there at once, and of one that is not
known nothing.
"""

from typing import Any

from kubemini.api.kinds import CONFIG_MAP, KNOWN, SECRET
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import instant
from kubemini.client import Informer
from kubemini.containers import Device, File, Files, Folder, Node, image_of
from kubemini.containers.images import folder_at
from kubemini.host import Timer
from kubemini.kubelet.decide import insides
from kubemini.kubelet.decide.pods import mounts
from kubemini.kubelet.decide.pods.mounts import (
    SOONER,
    Missing,
    Token,
    comes_from_the_api,
    contents,
    needs,
    same,
    tells_of_the_pod,
    token_key,
)
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.table import SYNCING
from kubemini.kubelet.pods.shared import WARNING, Attended
from kubemini.kubelet.runtime import doors
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND

NEXT_TURN = (SECOND, 90 * SECOND)  # syncFrequency, and half as much again by chance
RETRY = (500 * MS, 122 * SECOND)  # of goroutinemap's exponential back-off
FAILED = 'MountVolume.SetUp failed for volume "{}" : {}'
HOST_PATHS = "hostPaths"  # on the disk of the node
FOLDERS = ("home", "lib/modules", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var/lib", "var/log")
DEVICES = ("null", "zero")
KINDS = {"configmap": CONFIG_MAP, "secret": SECRET}
ACCOUNT, BUNDLES = KNOWN["v1", "ServiceAccount"], KNOWN["certificates.k8s.io/v1", "ClusterTrustBundle"]
REQUEST = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}


class Volumes:
    """Of one worker."""

    def __init__(self, worker: Attended):
        self.worker, self.shared = worker, worker.shared
        self.folders: dict[str, Folder] = {}
        self._mounted = self._comes = False
        self._watches: list[Informer] = []
        self._tokens: dict[tuple[str, int], Token] = {}  # by `token_key`
        self._renewal: Timer | None = None

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
        self._watch(volumes)
        return True

    # -- what changes --------------------------------------------------------------------------------------------------
    def _watch(self, volumes: Any) -> None:
        """Hear when something that a volume is made of becomes another."""
        if not self.shared.params.kubelet_details:
            return
        for kind, name in dict.fromkeys(need for volume in volumes for need in needs(volume)):
            selector = {"fieldSelector": f"metadata.name={name}"}
            watch = Informer(self.shared.client, KINDS[kind], self._heard, self.worker.key[0], **selector)
            self._watches.append(watch)
            watch.start()
        self._plan_renewal(volumes)

    def _heard(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None:
            self._refresh_later(self.shared.draw(f"{self.worker.key[1]}/refresh", NEXT_TURN))

    def pod_changed(self) -> None:
        """The pod has other labels or annotations: a volume may tell of them."""
        volumes = get(self.worker.pod, "spec", "volumes") or ()
        if any(tells_of_the_pod(volume) for volume in volumes):
            self._refresh_later(RELIST)

    def _plan_renewal(self, volumes: Any) -> None:
        """Fetch tokens anew with the regular turn after they are due, those of a kubelet before this one at once."""
        if self._renewal is not None:
            self._renewal.cancel()
        keys = {token_key(wanted): None for volume in volumes for wanted in mounts.tokens(volume)}
        delays = [self._due_in(self._tokens.get(key)) for key in keys]
        if delays:
            self._renewal = self.shared.component.after(min(delays), self._refresh_later, 0)

    def _due_in(self, token: Token | None) -> int:
        if token is None:
            return 0
        return token.renewed_in(self.shared.wall) + self.shared.draw(f"{self.worker.key[1]}/renewal", NEXT_TURN)

    def _refresh_later(self, delay: int) -> None:
        """Write the files anew in *delay* µs, once for all that happens until then."""
        if not self._comes and self._mounted:
            self._comes = True
            self.shared.component.after(delay, self._begin_refresh)

    def _begin_refresh(self) -> None:
        self.shared.component.spawn(self._refresh())

    def _refresh(self) -> Steps:
        self._comes = False
        volumes = get(self.worker.pod, "spec", "volumes") or ()
        sandbox = self.shared.containers.of_pod.get(self.worker.uid) if self.worker.life.state == SYNCING else None
        for volume in volumes if sandbox is not None else ():
            if not comes_from_the_api(volume):
                continue
            try:
                fresh = yield from self._filled(volume)
            except Missing as error:
                self.shared.event(self.worker.pod, WARNING, "FailedMount", FAILED.format(volume["name"], error))
                continue
            folder = self.folders[volume["name"]]
            if not same(folder, fresh):
                folder.inside = fresh.inside
        for life in doors.known(sandbox) if sandbox is not None else ():
            life.inside.files.changed()
        if sandbox is not None:
            self._plan_renewal(volumes)

    def forget(self) -> None:
        """The pod has ended."""
        self._mounted = False
        for watch in self._watches:
            watch.stop()
        self._watches.clear()
        if self._renewal is not None:
            self._renewal.cancel()

    # -- what is there at first ----------------------------------------------------------------------------------------

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
                return FAILED.format(volume["name"], error)
        return None

    def _filled(self, volume: Obj) -> Steps:
        if not self.shared.params.kubelet_details:
            return Folder()
        if path := get(volume, "hostPath", "path"):
            return self._of_the_host(path, get(volume, "hostPath", "type") or "")
        if reference := get(volume, "image", "reference"):
            known = image_of(reference)
            return known.root() if known is not None else Folder(kind="overlayfs")
        found: dict[tuple[str, str], Any] = {}
        for kind, name in needs(volume):
            found[kind, name] = yield from self.source(kind, name)
        for wanted in mounts.tokens(volume):
            found[mounts.TOKEN, wanted["path"]] = yield from self._token(wanted)
        for wanted in mounts.bundles(volume):
            found[mounts.BUNDLE, wanted["path"]] = yield from self._bundles()
        return contents(self.worker.pod, volume, found, self.shared.wall, self.shared.allocatable)

    def _token(self, wanted: Obj) -> Steps:
        """A token of the pod's account, bound to the pod: the old one, as long as it is good. Raises Missing."""
        key, now = token_key(wanted), self.shared.wall
        kept = self._tokens.get(key)
        if kept is not None and kept.renewed_in(now):
            return kept.text
        meta, account = self.worker.pod["metadata"], self.worker.pod["spec"].get("serviceAccountName") or "default"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        spec = {"expirationSeconds": key[1], "boundObjectRef": bound} | ({"audiences": [key[0]]} if key[0] else {})
        path = ACCOUNT.path(meta["namespace"], account, "token")
        reply = yield from self.shared.client.post(path, freeze({**REQUEST, "metadata": {}, "spec": spec}))
        if reply.ok:
            status, lasts = reply.value["status"], int(reply.value["spec"]["expirationSeconds"])
            sooner = self.shared.draw(f"{meta['name']}/sooner", SOONER)
            kept = Token(status["token"].encode(), lasts, instant(status["expirationTimestamp"]), sooner)
            self._tokens[key] = kept
            return kept.text
        why = getattr(reply.error, "message", reply.error)
        if kept is None:
            raise Missing(f"failed to fetch token: {why}")
        if now > kept.expires:
            raise Missing(mounts.expired(key, account, meta["namespace"], bound, str(why)))
        return kept.text

    def _bundles(self) -> Steps:
        """All trust bundles. Raises Missing."""
        reply = yield from self.shared.client.list(BUNDLES)
        if not reply.ok:
            raise Missing("ClusterTrustBundle informer has not yet synced")
        return reply.value["items"]

    def _of_the_host(self, path: str, type: str) -> Node:
        """What lies there on the node, the same for all its pods; made if it may be. Raises Missing."""
        files = Files(self.shared.host.disk.files.setdefault(HOST_PATHS, _of_a_machine()))
        if not files.exists(path):
            if type == "FileOrCreate":
                files.write(path, b"")
            elif type in ("", "DirectoryOrCreate"):
                files.make_folders(path)
        node = files.find(path) if files.exists(path) else None
        if wrong := mounts.wrong_type(path, type, node):
            raise Missing(wrong)
        assert node is not None, "it has been made, or it was there"
        return node

    def source(self, kind: str, name: str) -> Steps:
        """A ConfigMap or Secret that the pod names, or None."""
        reply = yield from self.shared.client.get(KINDS[kind], name, self.worker.key[0])
        return reply.value if reply.ok else None


def _of_a_machine() -> Folder:
    """What a node's disk begins with."""
    root = Folder({"etc": Folder({"hosts": File(insides.NODE.encode())})})
    for path in FOLDERS:
        folder_at(root, path)
    for name in DEVICES:
        folder_at(root, "dev").inside[name] = Device(name)
    return root
