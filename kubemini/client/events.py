"""Event recorders: a program tells what it did; a writer of its own sends that to the API server, later and apart.

Invariant: who tells never waits, and nothing that happens to an Event touches what it is about. One writer a recorder
sends one Event after the other: on a busy server they come long after the deed. What no server answers is tried twelve
times, 10 s apart, while what comes after waits (a thousand at most, the rest is dropped); what the server refuses is
dropped at once.
`Recorder` is that of most programs, with Events of core; `SeriesRecorder` is the scheduler's, with those of
events.k8s.io: each is sent by itself, repetitions as a series.
With ``record_events`` off nothing is sent, and nobody needs to ask.

Models k/client-go tools/record eventBroadcasterImpl.recordToSink, recordEvent
Models k/client-go tools/events eventBroadcasterImpl.attemptRecording, recordEvent
"""

from collections import deque
from typing import Any

from kubemini.api.kinds import EVENT
from kubemini.api.objects import Obj
from kubemini.client.client import ApiClient, code
from kubemini.client.decide import series
from kubemini.client.decide.correlator import Correlator, Told
from kubemini.client.decide.event import NEW_EVENT, event, new_event
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

TRIES = 12  # maxTriesPerEvent
PAUSE = 10 * SECOND  # defaultSleepDuration
QUEUED = 1000  # maxQueuedEvents


class _Teller:
    """What both recorders have: a client, a name, and a number for each Event of one instant."""

    def __init__(self, client: ApiClient, source: tuple[str, str]):
        self.client, self.component, self.source = client, client.component, source
        self.on = self.component.net.params.record_events
        self._told_at, self._number, self._drawn = -1, 0, 0
        name = f"events/{self.component.name}/{self.component.incarnation}/{source[0]}"
        self._draws = self.component.sim.draws(name)

    @property
    def now(self) -> int:
        """The date (µs)."""
        return self.component.sim.wall

    def _next(self) -> int:
        self._number = self._number + 1 if self._told_at == self.now else 0
        self._told_at = self.now
        return self._number

    def _between(self, low: int, high: int) -> int:
        self._drawn += 1
        return self._draws.between(self._drawn, low, high)


class Recorder(_Teller):
    """Tells of what *component* (such as ``deployment-controller``) on *host* does, in Events of core."""

    def __init__(self, client: ApiClient, component: str, host: str = ""):
        super().__init__(client, (component, host))
        self.correlator = Correlator()
        self._queue: deque[Obj] = deque()
        self._writing = False

    def event(self, obj: Obj, type: str, reason: str, message: str, field_path: str = "") -> None:
        """Tell it of *obj*, or of a part of it: *type* is Normal or Warning."""
        if not self.on or len(self._queue) >= QUEUED:
            return
        self._queue.append(event(obj, type, reason, message, self.source, self.now, self._next(), field_path))
        if not self._writing:
            self._writing = True
            self.component.spawn(self._write())

    def _write(self) -> Steps:
        while self._queue:
            told = self.correlator.correlate(self._queue.popleft(), self.now)
            if told is not None:
                yield from self._send(told)
        self._writing = False

    def _send(self, told: Told) -> Steps:
        """Until it is there, refused, or has been tried often enough."""
        for tried in range(TRIES):
            if tried:
                yield self.component.timeout(self._between(0, PAUSE) if tried == 1 else PAUSE)
            reply = yield from _record(self.client, told.event, told.patch)
            if reply.ok:
                self.correlator.stored(reply.value)
            if reply.ok or code(reply):
                return


class SeriesRecorder(_Teller):
    """Tells of what *controller* (such as ``default-scheduler``) does, in Events of events.k8s.io."""

    def __init__(self, client: ApiClient, controller: str):
        super().__init__(client, (controller, f"{controller}-{client.component.host.name}"))
        self.series = series.Series()
        self._begun, self._armed = self.now, False

    def event(self, obj: Obj, type: str, reason: str, note: str, action: str, related: Obj | None = None) -> None:
        """Tell of *obj* that *action* (``Binding``) was taken or failed; it may concern *related* too."""
        if not self.on:
            return
        made = new_event(obj, type, reason, note, action, self.source, self.now, self._next(), related)
        told = self.series.told(made, self.now)
        if told is not None:
            self.component.spawn(self._attempt(told))
        if not self._armed:
            self._arm()

    def _attempt(self, told: Obj) -> Steps:
        for tried in range(TRIES):
            if tried:
                yield self.component.timeout(self._between(PAUSE, PAUSE + PAUSE // 4))
            if (yield from self._is_settled(told)):
                return

    def _is_settled(self, told: Obj) -> Steps:
        """Send it once; True: it is there or was refused. A series whose first is just being made comes again."""
        again = "series" in told
        reply = yield from _record(self.client, told, series.patch(told) if again else {})
        refused = code(reply)
        return reply.ok or bool(refused and not (again and refused == 409))

    def _arm(self) -> None:
        """Look every six minutes from the start on, as long as there is something to look at."""
        self._armed = True
        passed = (self.now - self._begun) % series.FINISH
        self.component.after(series.FINISH - passed, lambda: self.component.spawn(self._tidy()))

    def _tidy(self) -> Steps:
        due = (self.now - self._begun) % series.REFRESH == 0
        ended = self.series.over(self.now)
        for told in ended:
            if (yield from self._is_settled(told)):
                self.series.forget(told)
        for told in self.series.running() if due else ():
            yield from self._is_settled(told)
        self._armed = False
        if self.series.known:
            self._arm()


def _record(client: ApiClient, told: Obj, patch: Obj) -> Steps:
    """Patch the one that is there, or make it; one that has gone meanwhile is made anew."""
    kind = NEW_EVENT if told["apiVersion"] == NEW_EVENT.api_version else EVENT
    if patch:
        meta = told["metadata"]
        reply = yield from client.patch(kind, meta["name"], meta["namespace"], patch, type="strategic")
        if code(reply) != 404:
            return reply
    made: Any = yield from client.create(told)
    return made
