"""What is done to a cluster at 0 s and taken back at ``hold_s``, as a record's ``target`` says it: how, and to whom.

A program is killed, hung or told to stop, a host cut off or switched off, the traffic between some cut; or all are
restarted in turn. Nothing but what was struck is started again.
"""

from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND
from tests.oracles.ha.stage import host

LOOK = 100 * MS
LATE = 0.5  # s
SIGNALS = {"SIGKILL": "crash", "SIGSTOP": "pause", "SIGTERM": "terminate"}


class Unknown(ValueError):
    """A record whose fault cannot be done here; the message names it."""


def knows(record):
    """Whether this fault can be done here."""
    return in_turn(record) or _way(record) is not None


def in_turn(record):
    """Whether hosts or members are restarted one after the other."""
    return " in turn" in record["target"]["role"]


def _way(record):
    how, hit = record["target"]["how"], record["target"]["hit"]
    programs = all("@" in name for name in hit)
    signal = next((name for name in SIGNALS if how.startswith(name)), None)
    if signal and programs:
        return signal
    if "killed" in how and not programs:
        return "power"
    if "peer port" in how:
        return "peers"
    if "both ways" in how:
        return "between"
    return "cut" if "cut off" in how and not programs else None


class Strike:
    """The fault of one trial; `ended` says with which code a program that was struck has ended."""

    def __init__(self, stage):
        self.stage, self.record = stage, stage.record
        self.way, self.hit = _way(stage.record), stage.record["target"]["hit"]
        self.ended = {}
        self.done = False

    @property
    def begun(self):
        """When it was done, in seconds: on a busy machine some faults took a while."""
        done = [at for at, what in self.record.get("marks", ()) if what.startswith("fault done")]
        return done[0] if done and done[0] > LATE and not in_turn(self.record) else 0

    def begin(self):
        """0 s, or when it was done."""
        stage, way = self.stage, self.way
        if in_turn(self.record):
            stage.cluster.user.spawn(self._in_turn())
        elif way in SIGNALS:
            for name in self.hit:
                self._signal(name, way)
        elif way == "power":
            for name in self.hit:
                self.ended |= {full: -9 for full in stage.on(name) if stage.of(full).up}
                stage.cluster.hosts[host(name)].power_off()
        elif way == "cut":
            for name in self.hit:
                stage.net.cut([host(name)], [h for h in stage.cluster.hosts if h != host(name)])
        else:
            one = host(self.hit[0].split("@")[-1])
            others = stage.members if way == "peers" else self.hit
            stage.net.cut([one], [h for name in others if (h := host(name.split("@")[-1])) != one])

    def end(self):
        """``hold_s``: what was struck goes on or is started, what was cut is whole."""
        stage = self.stage
        self.done = self.done or not in_turn(self.record)
        if self.way == "SIGSTOP":
            for name in self.hit:
                stage.of(name).resume()
        elif self.way in SIGNALS:
            for name in self.hit:
                stage.cluster.user.spawn(self._start(name))
        elif self.way == "power":
            for name in self.hit:
                stage.cluster.hosts[host(name)].power_on()
        elif not in_turn(self.record):
            stage.net.heal()

    def _signal(self, name, signal):
        component = self.stage.of(name)
        if component.up and signal != "SIGSTOP":
            self.ended[name] = -9 if signal == "SIGKILL" else _after_sigterm(name)
        getattr(component, SIGNALS[signal])()

    def _start(self, name) -> Steps:
        """Start a program as soon as it has ended."""
        component = self.stage.of(name)
        while component.up:
            yield self.stage.cluster.user.timeout(LOOK)
        component.start()

    # -- restarts in turn ----------------------------------------------------------------------------------------------
    def _in_turn(self) -> Steps:
        whole = all("@" not in name for name in self.hit)
        for name in self.hit:
            yield from self._restart_host(name) if whole else self._restart_member(name)
        self.done = True

    def _restart_host(self, name) -> Steps:
        """Managers and API server stop, then the member; all start; on, when the balancer has used it for 2 s."""
        managers = [f"kcm@{name}", f"sched@{name}"]
        for full in managers:
            self._signal(full, "SIGTERM")
        yield self.stage.cluster.user.timeout(LOOK)
        self._signal(f"api@{name}", "SIGTERM")
        for full in [*managers, f"api@{name}"]:
            yield from self._gone(full)
        if not self.stage.external:
            self._signal(f"etcd@{name}", "SIGTERM")
            yield from self._start(f"etcd@{name}")
        yield from self._start(f"api@{name}")
        yield from self._until(lambda: self._ready(name))
        for full in managers:
            self.stage.of(full).start()
        yield from self._until(lambda: self._used(name))
        yield self.stage.cluster.user.timeout(2 * SECOND)

    def _restart_member(self, name) -> Steps:
        """The member is told to stop, and starts again; on, 8 s after the API server is ready."""
        self._signal(name, "SIGTERM")
        yield from self._start(name)
        yield from self._until(lambda: self._ready(f"h{name[-1]}"))
        yield self.stage.cluster.user.timeout(8 * SECOND)

    def _gone(self, name) -> Steps:
        yield from self._until(lambda: not self.stage.of(name).up)

    def _until(self, holds) -> Steps:
        while not holds():
            yield self.stage.cluster.user.timeout(LOOK)

    def _ready(self, name):
        server = self.stage.of(f"api@{name}")
        said = self.stage.sim.trace.of("ready", server.name)
        return server.up and said[-1].detail["ready"]

    def _used(self, name):
        balancer = self.stage.of("haproxy@lb1")
        return balancer.up and balancer.health[f"apiserver-{name[-1]}"].up


def _after_sigterm(name):
    """A program of Go that has no handler dies of the signal, one that has one ends with 0."""
    return -15 if name.split("@")[0] in ("etcd", "kcm") else 0
