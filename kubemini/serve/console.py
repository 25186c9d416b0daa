"""Lines on standard input, done to the cluster as it runs: ``crash apiserver-2``, ``go 10s``.

A line is a command of `kubemini.commands` without its instant, which is now. Whatever is wrong with one is said in one
sentence, and the next one is read.
"""

import asyncio
import shlex
import sys
import threading
from collections.abc import Callable

from kubemini import faults
from kubemini.cluster import Cluster
from kubemini.serve.pacing import Pace
from kubemini.sim.units import SECOND, duration

GO = "go"


class Console:
    """What a reader types."""

    def __init__(self, cluster: Cluster, pace: Pace, say: Callable[[str], None]):
        self.cluster, self.pace, self.say = cluster, pace, say

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read standard input from now on, beside all else; its end is nothing to us."""

        def read() -> None:
            for line in sys.stdin:
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(self.do, line)

        threading.Thread(target=read, daemon=True).start()

    def do(self, line: str) -> None:
        """Do what *line* says, or say what is wrong with it."""
        try:
            words = shlex.split(line, comments=True)
            if words:
                self._do(words)
        except ValueError as error:
            self.say(f"kubemini: {error}")

    def _do(self, words: list[str]) -> None:
        if words[0] == GO:
            if self.pace.speed or len(words) != 2:
                raise ValueError("go TIME lets time pass where it stands: kubemini serve --speed step, then go 10s")
            self.pace.go_on(duration(words[1]))
            self.say(f"kubemini: {' '.join(words)}")
            return
        self.pace.now()
        sim = self.cluster.sim
        planned = faults.parse([sim.now / SECOND, *words], by="you")
        faults.schedule(self.cluster, [faults.Planned(sim.now, planned.command, planned.by, planned.args)])
        self.pace.wake()
        self.say(f"kubemini: {' '.join(words)}")
