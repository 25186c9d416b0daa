"""The programs in the pods of one host: they call Services at a steady pace, and answer whoever calls them.

A call is a connection from the pod's own address: it may leave its pod or not, the host's kernel picks an endpoint,
and it may enter that pod or not (policing). What a policy drops nobody answers, so the caller waits until he is tired.
Invariant: only a pod that runs here calls, and only one that listens here answers.
A name is looked up as any program does it, and the policies see each question.
Simplified: one pod of a workload a host calls; a call is one small request; the pods' servers answer at once.
"""

from dataclasses import dataclass

from kubemini.host import Component
from kubemini.host.linux.podnetwork import listening
from kubemini.network import dataplane, policing
from kubemini.network.names import Resolver, Response, Source, destination
from kubemini.network.policing import Flow
from kubemini.sim import Steps
from kubemini.sim.chance import Draws
from kubemini.users import inpods
from kubemini.users.lines import NO_ENDPOINT, Line, dialled
from kubemini.users.recording import OK, record
from kubemini.wire import Call


@dataclass(frozen=True, slots=True)
class Errand:
    """What the pods of *workload* do: call *service* every *every* µs from *offset* on.

    *keep*: over one connection as long as it works; *names*: the name of the Service is looked up first, with *options*
    in the pods' resolv.conf.
    """

    workload: str
    service: str
    every: int
    offset: int
    keep: bool = False
    names: bool = False
    options: str = ""


class Caller(Component):
    """The calling and answering programs of one host's pods."""

    errands: tuple[Errand, ...] = ()
    sent = 0  # ever

    def boot(self) -> None:
        self.lines: dict[Errand, Line] = {}
        names = [errand for errand in self.errands if errand.names]
        self.resolver = Resolver(self, names[0].options) if names else None
        draws = self.sim.draws(f"callers/{self.name}")
        for errand in self.errands:
            self.spawn(self._calls(errand, draws))

    def receive(self, source: str, payload: Response) -> None:
        """An answer of a name server."""
        if self.resolver is not None:
            self.resolver.asker.hear(payload)

    def handle(self, call: Call) -> Steps | None:
        """A connection to a pod, or one more packet of it: dropped, refused or answered."""
        flow: Flow = call.payload
        if policing.enters(self.host, flow):
            inpods.admit(call, self.host, flow)
        return None

    # -- calling -------------------------------------------------------------------------------------------------------
    def _calls(self, errand: Errand, draws: Draws) -> Steps:
        yield self.timeout((errand.offset - self.sim.now) % errand.every)
        while True:
            source = self._pod_of(errand.workload)
            if source and dataplane.has_endpoints(self.host, errand.service):
                self.sent += 1
                self.spawn(self._call(errand, *source, self.sent, draws))
            yield self.timeout(errand.every)

    def _pod_of(self, workload: str) -> tuple[str, str] | None:
        """Name and address of a pod of *workload* that runs here."""
        found = sorted((pod, ip) for ip, pod in listening(self.host).items() if pod.startswith(f"{workload}-"))
        return found[0] if found else None

    def _call(self, errand: Errand, pod: str, ip: str, number: int, draws: Draws) -> Steps:
        """One call, from the look-up to the answer; a connection that is kept goes on from the last one."""
        started, line = self.sim.now, self.lines.pop(errand, None)
        why = ""
        if line is None or line.flow.source != ip:
            service, why = yield from self._look_up(errand, ip)
            line = dialled(self.host, service, ip, draws.u(2 * number + 1)) if service else None
        answered = False
        if line is not None:
            answered, why = yield from self._ask(line)
            if answered and errand.keep:
                self.lines[errand] = line
        via = [pod, errand.service, *([line.pod] if line else [])]
        self._tell(number, started, via, answered, why or NO_ENDPOINT * (line is None))

    def _tell(self, number: int, started: int, via: list[str], answered: bool, why: str) -> None:
        record(self, number, via[1], via, started, OK if answered else 0, why, caller=via[0])

    def _look_up(self, errand: Errand, ip: str) -> Steps:
        """(the Service to call, why its name cannot be learnt)."""
        if self.resolver is None:
            return errand.service, ""
        namespace, _, short = errand.service.rpartition("/")
        name = f"{short}.{namespace}" if namespace else short
        service, _, why = yield from destination(self.resolver, name, Source(ip))
        return service, why and f"look-up of {why}"

    def _ask(self, line: Line) -> Steps:
        """(whether somebody answers on *line*, what decided or why not)."""
        patience, flow = self.net.params.visitor_timeout, line.flow
        flow.rule, flow.dropped = "", False
        if not policing.leaves(self.host, flow):
            yield self.timeout(patience)
            return False, flow.rule
        reply = yield self.call(f"callers@{line.node}", "packet", flow, timeout=patience)
        return reply.ok, flow.rule if reply.ok or flow.dropped else f"{line.pod}: {reply.error.reason}"
