"""The client programs in the pods of one host: each pod sends requests to a Service, over connections of its own.

How many connections, for how long, and what happens when a request fails is decided by `users.decide.clients`: here
they are dialled, used and closed. The Service picks a pod for each connection that is dialled, and for nothing else; so
what follows happens by itself: pods that idle beside busy ones, storms of retries, errors while pods are replaced.
Invariant: a request ends once, and its record tells all its tries.
Simplified: a request is a POST, which no library sends again by itself; the address of the Service is known; an HTTP/2
connection to a machine without power is not given up (TCP does after about a quarter of an hour).
"""

from dataclasses import dataclass, field
from typing import Any

import simpy

from kubemini.host import Component
from kubemini.host.linux.podnetwork import knows_way, listening, pod_at
from kubemini.network import dataplane, policing
from kubemini.network.policing import Flow
from kubemini.sim import Sim, Steps
from kubemini.sim.chance import Draws
from kubemini.users.decide.clients import Budget, Custom, Pool
from kubemini.users.lines import NO_ENDPOINT, Line, dialled
from kubemini.users.recording import OK, record
from kubemini.users.server import Ask, Bye
from kubemini.wire import Network
from kubemini.wire.calls import DEADLINE, Reply
from kubemini.wire.rpc import happen


@dataclass(slots=True)
class Client:
    """The program in one pod."""

    pod: str
    ip: str
    pool: Pool
    budget: Budget
    draws: Draws
    drawn: int = 0
    lines: dict[int, Line] = field(default_factory=dict)  # by the number of the connection
    dialling: simpy.Event | None = None  # HTTP/2: whoever comes meanwhile waits for that connection

    def draw(self) -> int:
        """Uniform in [0, 2**64); each pod has luck of its own."""
        self.drawn += 1
        return self.draws.u(self.drawn)


class Clients(Component):
    """The clients of one host's pods, by address."""

    custom: Custom | None = None
    sent = numbers = 0  # requests, connections; ever

    def __init__(self, sim: Sim, net: Network, host: Any, name: str):
        super().__init__(sim, net, host, name)
        host.in_pods.append(self)

    def boot(self) -> None:
        self.clients: dict[str, Client] = {}
        for ip in listening(self.host):
            self._begin(ip)

    # -- what the container runtime tells ------------------------------------------------------------------------------
    def began(self, ip: str) -> None:
        self.guarded(self.incarnation, self._begin, (ip,))

    def told_to_end(self, ip: str) -> None:
        self.guarded(self.incarnation, self._end, (ip,))

    def gone(self, ip: str) -> None:
        """Its connections went when it was told to end."""

    def _begin(self, ip: str) -> None:
        pod = pod_at(self.host, ip) or ""
        if self.custom is not None and pod.startswith(tuple(f"{name}-" for name in self.custom.workloads)):
            budget = Budget(self.custom.patience.budget)
            client = Client(pod, ip, Pool(self.custom.habits), budget, self.sim.draws(f"clients/{pod}"))
            self.clients[ip] = client
            self.spawn(self._sends(client, self.custom))

    def _end(self, ip: str) -> None:
        client = self.clients.pop(ip, None)
        if client is not None:
            for number in list(client.lines):
                self._close(client, number)

    # -- requests ------------------------------------------------------------------------------------------------------
    def _sends(self, client: Client, custom: Custom) -> Steps:
        """The steady pace; it begins with the Service's first endpoint here."""
        phase = client.draw() % custom.every
        yield self.timeout(-self.sim.now % custom.every if custom.together else phase)
        opened = False
        while self.clients.get(client.ip) is client:
            opened = opened or dataplane.has_endpoints(self.host, custom.service)
            if opened:
                self.sent += 1
                self.spawn(self._request(client, custom, self.sent))
            yield self.timeout(custom.every)

    def _request(self, client: Client, custom: Custom, number: int) -> Steps:
        """One request, tried until it is answered, or the client's patience or budget is at an end."""
        started, tries, patience = self.sim.now, [], custom.patience
        while True:
            began = self.sim.now
            pod, code, why = yield from self._try(client, custom)
            tries.append([began, pod, why])
            if code == OK:
                client.budget.succeeded()
                break
            affordable = client.budget.failed()
            if len(tries) > patience.retries or not affordable or client.ip not in self.clients:
                break
            yield self.timeout(patience.wait(len(tries), client.draw()))
        via = [client.pod, custom.service, *([pod] if pod else [])]
        record(self, number, custom.service, via, started, code, why, "POST", caller=client.pod, tries=tries)

    def _try(self, client: Client, custom: Custom) -> Steps:
        """(pod, status or 0, why not): one try, which takes as long as the client's patience at most."""
        limit = self.sim.now + custom.patience.timeout
        number, pod, why = yield from self._connection(client, custom, limit)
        if number is None:
            return pod, 0, why
        line, first = client.lines[number], client.pool.used[number].ever == 1
        ask = Ask(number, line.flow, custom.habits.http2, first)
        reply = yield from self._say(line, f"servers@{line.node}", ask, limit)
        if client.pool.finished(number):
            self._close(client, number)
        if not reply.ok:
            if not (custom.habits.http2 and reply.error is DEADLINE):
                self._close(client, number)  # it is broken; or, by HTTP/1.1, a late answer would be taken for another's
            return line.pod, 0, f"{line.pod}: {line.flow.rule if line.flow.dropped else reply.error.reason}"
        return line.pod, reply.value, "" if reply.value == OK else f"{line.pod}: {reply.value}, its queue is full"

    def _say(self, line: Line, target: str, payload: Flow | Ask, limit: int) -> Steps:
        """A packet on *line* to *target*, and the answer, or that none came until *limit*."""
        left = limit - self.sim.now
        line.flow.rule, line.flow.dropped = "", False
        goes = knows_way(self.host, line.flow.destination) and policing.leaves(self.host, line.flow)
        if left <= 0 or not goes:
            yield self.timeout(max(0, left))
            return Reply(False, error=DEADLINE)
        reply = yield self.call(target, "http", payload, timeout=left)
        return reply

    # -- connections ---------------------------------------------------------------------------------------------------
    def _connection(self, client: Client, custom: Custom, limit: int) -> Steps:
        """(number or None, pod, why not): a connection for one request, kept or dialled."""
        while (number := client.pool.take()) is None and client.dialling is not None:
            yield client.dialling
        if number is not None:
            return number, client.lines[number].pod, ""
        if custom.habits.http2:
            client.dialling = simpy.Event(self.sim)
        found = yield from self._dial(client, custom, limit)
        if client.dialling is not None:
            dialled_, client.dialling = client.dialling, None
            happen(dialled_, None)
        return found

    def _dial(self, client: Client, custom: Custom, limit: int) -> Steps:
        """The kernel of the pod's host accepts a connection, whatever its server is doing."""
        line = dialled(self.host, custom.service, client.ip, client.draw())
        if line is None:
            return None, "", NO_ENDPOINT
        self.numbers += 1
        number = self.numbers
        reply = yield from self._say(line, f"pods@{line.node}", line.flow, limit)
        if not reply.ok:
            why = line.flow.rule if line.flow.dropped else reply.error.reason
            return None, line.pod, f"{line.pod}: {why}"
        client.lines[number] = line
        client.pool.opened(number)
        return number, line.pod, ""

    def receive(self, source: str, payload: Bye) -> None:
        """A server ends a connection: now, or when what is under way on it has been answered."""
        for client in self.clients.values():
            if payload.number in client.lines and (payload.broken or client.pool.retire(payload.number)):
                self._close(client, payload.number)

    def _close(self, client: Client, number: int) -> None:
        """Forget connection *number*, and tell the server."""
        client.pool.lost(number)
        line = client.lines.pop(number, None)
        if line is not None:
            self.send(f"servers@{line.node}", Bye(number))
