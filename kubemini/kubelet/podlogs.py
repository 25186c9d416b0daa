"""The logs of one host's containers: files on its disk, so they outlive kubelet, containers and power.

Invariant: a pod's logs go with its containers (`forget`), and of each container's starts the last two are kept.
k/k pkg/kubelet/kuberuntime kuberuntime_logs.go; kubelet.conf containerLogMaxFiles.
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
    rest: bytes = b""  # of a line that has no end yet


class PodLogs:
    """Made once per power-on, for the container runtime of *host*."""

    def __init__(self, host: Host):
        self.host = host
        self.readers: dict[str, list[Callable[[], None]]] = {}  # of pods, by uid: told of each line

    @property
    def _files(self) -> Any:
        return self.host.disk.files.setdefault(FILES, {})

    def of(self, uid: str, container: str) -> Kept | None:
        """What there is of a container of a pod."""
        found: Kept | None = self._files.get(uid, {}).get(container)
        return found

    def begin(self, uid: str, container: str) -> None:
        """It starts: a new file."""
        before = self.of(uid, container)
        if before is not None:
            before.current.probe(self.host.sim.now, ())
            before.current.ended = True
        made = Kept(Log(), before.current if before is not None else None)
        self._files.setdefault(uid, {})[container] = made

    def has_begun(self, uid: str, container: str) -> bool:
        """Whether its program has said anything since it was last started."""
        kept = self.of(uid, container)
        return kept is not None and bool(kept.current.said)

    def say(self, uid: str, text: str, container: str, end: str = "\n") -> None:
        """A program says a line."""
        kept = self.of(uid, container)
        if kept is not None:
            kept.current.say(self.host.sim.now, text, container, end)
            self._tell(uid)

    def write(self, uid: str, data: bytes, container: str) -> None:
        """A program writes: whole lines or not."""
        kept = self.of(uid, container)
        if kept is not None:
            *lines, kept.rest = (kept.rest + data).split(b"\n")
            for line in lines:
                self.say(uid, line.decode("utf-8", "replace"), container)

    def probe(self, uid: str, container: str, checks: Sequence[Check]) -> None:
        """From now on it is probed so."""
        kept = self.of(uid, container)
        if kept is not None and not kept.current.ended:
            kept.current.probe(self.host.sim.now, checks)
            self._tell(uid)

    def probe_no_more(self) -> None:
        """The kubelet is gone."""
        self.readers.clear()
        for uid, containers in list(self._files.items()):
            for container in list(containers):
                self.probe(uid, container, ())

    def end(self, uid: str, container: str) -> None:
        """The program has ended."""
        kept = self.of(uid, container)
        if kept is not None:
            if kept.rest:
                rest, kept.rest = kept.rest, b""
                self.say(uid, rest.decode("utf-8", "replace"), container, end="")
            kept.current.probe(self.host.sim.now, ())
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
