"""A component: a running program on a host. It starts, crashes, pauses and resumes.

Invariant: nothing of a dead incarnation ever acts again. Timers, deliveries and tasks carry the incarnation they
belong to; those of a dead one are dropped, those of a paused one wait, in order, until it resumes.
A program whose own code raises crashes alone, with the word "panic" in the trace; the cluster goes on.
"""

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import simpy

from kubemini.host.machine import Host
from kubemini.sim.clocks import skewed
from kubemini.sim.defects import told
from kubemini.sim.engine import TIMER, Runaway, Sim, Steps
from kubemini.sim.units import clock
from kubemini.wire import rpc
from kubemini.wire.connections import Connection, Limits
from kubemini.wire.network import CONNECTION, MESSAGE, Network

TOLD = "it was told to stop"
ENDLESS = 100_000  # steps of a task that never waits


class Timer:
    """A call that will happen later, unless cancelled."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True


class Task:
    """A generator that yields SimPy events; it dies with its component and stands still while it is paused."""

    __slots__ = ("component", "done", "generator", "incarnation")

    def __init__(self, component: "Component", generator: Steps):
        self.component, self.generator = component, generator
        self.incarnation = component.incarnation
        self.done = False
        component.enter(self._advance, (None,))

    def cancel(self) -> None:
        """It goes no further, as one whose context is cancelled: what it waits for will find nobody."""
        self.done = True
        self.generator.close()

    def _wake(self, event: simpy.Event) -> None:
        self.component.guarded(self.incarnation, self._advance, (event.value,), self.generator.close)

    def _advance(self, value: Any) -> None:
        for _ in range(ENDLESS):
            try:
                event = self.generator.send(value)
            except StopIteration:
                self.done = True
                return
            if event.callbacks is not None:
                event.callbacks.append(self._wake)
                return
            value = event.value  # it has happened already
        raise Runaway(f"stopped at {clock(self.component.sim.now)}: {self.component.name} goes on without ever waiting")


class Component:
    """Base class of every program of the cluster; override `boot`, `handle`, `receive`, `shutdown`.

    ``port``: on which port of its host's addresses it listens; 0: nobody asks.
    """

    port = 0

    def __init__(self, sim: Sim, net: Network, host: Host, name: str):
        self.sim, self.net, self.host, self.name = sim, net, host, name
        self.up = False
        self.listens = True  # whether its kernel accepts connections for it, while it is up
        self.paused = False
        self.busy = False  # its code is running
        self.incarnation = 0
        self.index = net.attach(self)
        self._waiting: deque = deque()  # what arrived while paused
        self._timers = 0
        self.rpc = rpc.Endpoint(self, net)
        host.components.append(self)

    # -- to override -------------------------------------------------------------------------------------------
    def boot(self) -> None:
        """Build memory afresh; what must survive lies in ``self.host.disk.files``."""

    def shutdown(self) -> None:
        """The component has just died."""

    def handle(self, call: rpc.Call) -> Steps | None:
        """An RPC has arrived: answer it with ``call.reply(value)`` or ``call.fail(error)``; may be a generator."""
        call.fail(rpc.Unreachable(f"{self.name} answers no calls", definite=True))
        return None

    def greet(self, call: rpc.Call) -> Steps | None:
        """A client has connected: let it in with ``call.reply(name of who serves it)``, or turn it away."""
        call.reply(self.name)
        return None

    def receive(self, source: str, payload: Any) -> None:
        """A datagram has arrived from the component named *source*."""

    def urgency(self, waiting: tuple[Callable, tuple]) -> int:
        """Which of what has piled up a program that goes on turns to first: 0 before 1, else in order of arrival."""
        return 0

    @property
    def calm(self) -> bool:
        """Whether what it says of its health stays so until `Network.changed` is called."""
        return not self.host.disk.slow and self.sim is self.net.sim

    def disturbed(self) -> None:
        """Its machine has become another: whoever has counted on it looks again."""
        self.net.changed()

    # -- life --------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the program, if it is down and its host has power."""
        if self.up or not self.host.powered:
            return
        self.up, self.paused = True, False
        self.incarnation += 1
        self.sim.record(self.name, "start")
        self.enter(self.boot, ())
        self.net.changed()

    def crash(self) -> None:
        """Kill the program: its memory is gone, its peers' connections are reset."""
        if self.up:
            self.sim.record(self.name, "crash")
            self.stop("crash")

    def terminate(self) -> None:
        """SIGTERM: end in peace, when it is not paused. Who has something to do first overrides `on_sigterm`."""
        if self.up:
            self.guarded(self.incarnation, self.on_sigterm, ())

    def on_sigterm(self) -> None:
        """The program has been told to end: end it, now or when that does no harm."""
        self.exit(TOLD)

    def exit(self, why: str) -> None:
        """The program ends by itself, in peace: as `crash`, but nobody is to blame."""
        if self.up:
            self.sim.record(self.name, "exit", why=why)
            self.stop("exit")

    def stop(self, how: str) -> None:
        """End this incarnation; *how* is crash or exit (peers are told at once) or power_off (they are not)."""
        if not self.up:
            return
        self.up, self.paused = False, False
        self.incarnation += 1
        self._waiting.clear()
        self.rpc.abandon(reset=how != "power_off")
        self.enter(self.shutdown, ())
        self.net.changed()

    def pause(self) -> None:
        """Stand still, as after SIGSTOP: nothing is lost, nothing is answered."""
        if self.up and not self.paused:
            self.paused = True
            self.sim.record(self.name, "pause")
            self.net.changed()

    def resume(self) -> None:
        """Go on with all that has piled up, in order of `urgency`."""
        if not (self.up and self.paused):
            return
        self.paused = False
        self.sim.record(self.name, "resume")
        self._waiting = deque(sorted(self._waiting, key=self.urgency))
        while self._waiting and not self.paused and self.up:
            self.enter(*self._waiting.popleft())
        self.net.changed()

    def guarded(self, incarnation: int, act: Callable, args: tuple, otherwise: Callable | None = None) -> None:
        """``act(*args)`` if that incarnation still lives (now, or when it resumes), else *otherwise*."""
        if incarnation != self.incarnation or not self.up:
            if otherwise:
                self.enter(otherwise, ())
        elif self.paused:
            self._waiting.append((act, args))
        else:
            self.enter(act, args)

    # -- what its own code does --------------------------------------------------------------------------------
    def enter(self, act: Callable, args: tuple) -> None:
        """``act(*args)``, which is code of this program: if it raises, this program crashes and nobody else."""
        if self.busy:  # part of something of its own: that is what fails
            act(*args)
            return
        failure = None
        self.busy = True
        try:
            act(*args)
        except Runaway:
            raise
        except Exception as error:
            failure = error
        finally:
            self.busy = False
        if failure is not None:
            self.panic(failure)

    def panic(self, error: Exception) -> None:
        """Its code has raised *error*: a defect, of which the program dies as any program does."""
        self.sim.record(self.name, "panic", **told(error))
        self.crash()

    # -- time --------------------------------------------------------------------------------------------------
    def skew_clock(self, offset: int, rate: Fraction) -> None:
        """Its date is *offset* µs ahead of the true one from now on, and its clock runs at *rate*."""
        self.sim.end_rests()
        self.sim.record(self.name, "clock", offset=offset, rate=float(rate))
        self.set_clock(offset, rate)
        self.disturbed()

    def set_clock(self, offset: int, rate: Fraction) -> None:
        """Go by such a clock."""
        self.sim = skewed(self.sim, offset, rate)

    def after(self, delay: int, act: Callable, *args: Any, key: int | None = None) -> Timer:
        """``act(*args)`` after *delay* µs, unless this incarnation dies or the timer is cancelled.

        *key* orders timers of one component that fire at the same instant (default: order of setting, from 1 on).
        """
        timer = Timer()
        if key is None:
            key = self._timers = self._timers + 1
        priority = TIMER + (self.index << 62) + key
        self.sim.at(self.sim.now + delay, priority, self._fire, (timer, self.incarnation, act, args))
        return timer

    def _fire(self, timer: Timer, incarnation: int, act: Callable, args: tuple) -> None:
        if timer.cancelled:
            return
        if incarnation == self.incarnation and not self.paused:  # most: what `guarded` would come to
            self.enter(act, args)
        else:
            self.guarded(incarnation, self._fire_now, (timer, act, args))

    def _fire_now(self, timer: Timer, act: Callable, args: tuple) -> None:
        if not timer.cancelled:
            act(*args)

    def timeout(self, delay: int) -> simpy.Event:
        """For tasks: ``yield self.timeout(2 * SECOND)``."""
        return self.sim.timeout(delay)

    def spawn(self, generator: Steps) -> Task:
        """Run *generator* as a task of this incarnation; it starts at once."""
        return Task(self, generator)

    # -- the wire ----------------------------------------------------------------------------------------------
    def send(self, target: str, payload: Any) -> int | None:
        """Send a datagram; the instant it will arrive, or None if it is lost."""
        destination = self.net.components[target]
        return self.net.send(self, target, MESSAGE, destination.arrive, self.name, payload)

    def arrive(self, source: str, payload: Any) -> None:
        """A datagram is at the door."""
        if self.up and not self.paused:
            self.enter(self.receive, (source, payload))
        else:
            self.guarded(self.incarnation, self.receive, (source, payload))

    def call(self, target: str, method: str, payload: Any = None, timeout: int | None = None) -> simpy.Event:
        """Call *method* of *target*; ``reply = yield self.call(...)``: a `rpc.Reply`, never an exception.

        It ends after *timeout* µs at the latest; without one it waits for ever, as gRPC and Go's contexts do.
        """
        return self.rpc.call(target, method, payload, timeout)

    def connection(
        self,
        target: str,
        limits: Limits,
        on_break: Callable[[rpc.Unreachable], None] | None = None,
        kept: bool = True,
        before: str = "",
    ) -> Connection:
        """A connection to *target*, to be dialled; *on_break* is called once if it breaks after it was open.

        *before*: the server of this client's former connection; of one that is not *kept* no record tells.
        """
        return Connection(self, self.net, target, limits, on_break, kept, before)

    def open_stream(
        self, target: str, method: str, payload: Any, on_item: Callable[[Any], None], on_close: Callable[[Any], None]
    ) -> rpc.ClientStream:
        """Open a server-push stream: *on_item* for each item, *on_close* once with the error (None: in peace)."""
        return self.rpc.open_stream(target, method, payload, on_item, on_close)


__all__ = ["CONNECTION", "Component", "Task", "Timer"]
