"""Somebody reads the log of a container: what there is, and with *follow* what comes, until its program ends.

Invariant: each line is written once, in order; a reader who has gone costs nothing any more.
Simplified: a kubelet that stands still has probed all the time, as its log tells.
"""

from collections.abc import Callable

from kubemini.host import Component, Timer
from kubemini.kubelet.decide import logs
from kubemini.kubelet.decide.logs import NEVER, Log, Wanted
from kubemini.kubelet.podlogs import PodLogs


class Reading:
    """One reader of *log*; *write* takes bytes, *close* is called once, at its end."""

    def __init__(
        self,
        component: Component,
        files: PodLogs,
        uid: str,
        container: str,
        log: Log,
        asked: Wanted,
        write: Callable[[bytes], None],
        close: Callable[[], None],
    ):
        self.component, self.files, self.uid, self.container = component, files, uid, container
        self.log, self.asked = log, asked
        self.write, self.close = write, close
        self._read = (0, 0)  # the instant of the last line that was read, and how many of that instant were
        self._written = 0  # bytes
        self._timer: Timer | None = None
        self.over = False

    def begin(self, from_now: bool = False) -> None:
        """Write what there is; *from_now*: only what comes."""
        lines = self._fresh()
        self._show([] if from_now else logs.tail(lines, self.asked))
        if not self.asked.follow:
            self.leave()
        elif not self.over:
            self.files.readers.setdefault(self.uid, []).append(self._news)
            self._go_on()

    def leave(self) -> None:
        """No more."""
        if self.over:
            return
        self.over = True
        self.files.forget_reader(self.uid, self._news)
        if self._timer is not None:
            self._timer.cancel()
        self.close()

    def _news(self) -> None:
        """The container runtime says that there is more."""
        self.component.guarded(self.component.incarnation, self._look, ())

    def _look(self) -> None:
        if not self.over:
            self._show(self._fresh())
            self._go_on()

    def _fresh(self) -> list[logs.Line]:
        """The lines that have not been read."""
        last, number = self._read
        coming = self.log.lines(self.container, self.component.sim.now, last)
        fresh = coming[number:]
        if coming:
            last = coming[-1].at
            self._read = last, sum(line.at == last for line in coming)
        return fresh

    def _go_on(self) -> None:
        if self.over:
            return
        if self.log.ended:
            self.leave()
            return
        if self._timer is not None:
            self._timer.cancel()
        now = self.component.sim.now
        at = self.log.next_probe(now)
        self._timer = self.component.after(at - now, self._look) if at < NEVER else None

    def _show(self, lines: list[logs.Line]) -> None:
        data = logs.cut(b"".join(logs.shown(line, self.asked) for line in lines), self.asked, self._written)
        self._written += len(data)
        if data:
            self.write(data)
        if self.asked.limit is not None and self._written >= self.asked.limit:
            self.leave()
