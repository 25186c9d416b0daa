"""The logs of one host's containers: files on its disk, so they outlive kubelet, containers and power.

Invariant: a pod's log goes with its containers (`forget`), and of its starts the last two are kept.
k/k pkg/kubelet/kuberuntime kuberuntime_logs.go; kubelet.conf containerLogMaxFiles.
Simplified: one log for all containers of a pod, as they start and end together; a line says whose it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.host import Host
from kubemini.kubelet.decide.logs import Check, Log

FILES = "pod-logs"


@dataclass(slots=True)
class Kept:
    """The log of this start, and of the one before."""

    current: Log
    previous: Log | None = None


class PodLogs:
    """Made once per power-on, for the container runtime of *host*."""

    def __init__(self, host: Host):
        self.host, self.sim = host, host.sim
        self.readers: dict[str, list[Callable[[], None]]] = {}  # of pods, by uid: told of each line

    @property
    def _files(self) -> Any:
        return self.host.disk.files.setdefault(FILES, {})

    def of(self, uid: str) -> Kept | None:
        """What there is of a pod."""
        found: Kept | None = self._files.get(uid)
        return found

    def begin(self, uid: str) -> None:
        """The containers of a pod start: a new file."""
        before = self.of(uid)
        if before is not None:
            before.current.probe(self.sim.now, ())
            before.current.ended = True
        self._files[uid] = Kept(Log(), before.current if before is not None else None)

    def has_begun(self, uid: str) -> bool:
        """Whether its programs have said anything since they were last started."""
        kept = self.of(uid)
        return kept is not None and bool(kept.current.said)

    def say(self, uid: str, text: str, container: str = "") -> None:
        """A program says something."""
        kept = self.of(uid)
        if kept is not None:
            kept.current.say(self.sim.now, text, container)
            self._tell(uid)

    def probe(self, uid: str, checks: Sequence[Check]) -> None:
        """From now on it is probed so."""
        kept = self.of(uid)
        if kept is not None and not kept.current.ended:
            kept.current.probe(self.sim.now, checks)
            self._tell(uid)

    def probe_no_more(self) -> None:
        """The kubelet is gone."""
        self.readers.clear()
        for uid in list(self._files):
            self.probe(uid, ())

    def end(self, uid: str) -> None:
        """The programs have ended."""
        kept = self.of(uid)
        if kept is not None:
            kept.current.probe(self.sim.now, ())
            kept.current.ended = True
            self._tell(uid)

    def forget(self, uid: str) -> None:
        """The pod is gone, and its files with it."""
        self._files.pop(uid, None)

    def forget_reader(self, uid: str, reader: Callable[[], None]) -> None:
        """Who read reads no more."""
        left = [one for one in self.readers.pop(uid, ()) if one != reader]
        if left:
            self.readers[uid] = left

    def _tell(self, uid: str) -> None:
        for reader in list(self.readers.get(uid, ())):
            reader()
