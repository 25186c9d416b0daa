"""/portForward at a kubelet: connections to ports of a pod, carried by one upgraded connection of the client.

The runtime dials 127.0.0.1 in the network namespace of the pod, so what listens there answers, whatever policies say.
Invariant: a connection that ends, ends once; what comes for it later is thrown away.
Simplified: programs in pods speak HTTP; whoever sends something else is not answered.
"""

from collections.abc import Callable
from functools import partial

from kubemini.frames import Broken
from kubemini.kubelet.decide.forwarding import Event, Left, Over, Pairs, Ports, Sent, Wanted
from kubemini.kubelet.decide.pages import HttpServer, Serve


class Forwarding:
    """One client; *listens* gives what answers on a port, or the words of a refusal."""

    def __init__(
        self,
        carrier: Pairs | Ports,
        listens: Callable[[int], Serve | str],
        push: Callable[[bytes], None],
        close: Callable[[], None],
    ):
        self.carrier, self.listens, self.push, self.close = carrier, listens, push, close
        self.open: dict[int, HttpServer] = {}
        self.over = False

    def begin(self) -> None:
        """The client has been greeted."""
        self._follow(self.carrier.begin())

    def take(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.over:
            return
        try:
            events = self.carrier.receive(data)
        except Broken:
            self.leave()
            return
        self._follow(events)

    def leave(self) -> None:
        """The client has gone, or all is over."""
        if not self.over:
            self.over = True
            self.open.clear()
            self.close()

    def _follow(self, events: list[Event]) -> None:
        self._flush()
        for event in events:
            match event:
                case Wanted():
                    self._dial(event)
                case Sent() if event.number in self.open:
                    self._pass_on(event)
                case Left() if event.number in self.open:
                    self._end(event.number)
                case Over():
                    self.leave()
        self._flush()

    def _dial(self, event: Wanted) -> None:
        found = self.listens(event.port)
        if isinstance(found, str):
            self.push(self.carrier.end(event.number, found))
        else:
            number = event.number
            self.open[number] = HttpServer(found, partial(self._answer, number), partial(self._end, number))

    def _pass_on(self, event: Sent) -> None:
        self.open[event.number].receive(event.data)

    def _answer(self, number: int, data: bytes) -> None:
        if number in self.open:
            self.push(self.carrier.data(number, data))

    def _end(self, number: int) -> None:
        if self.open.pop(number, None) is not None:
            self.push(self.carrier.end(number))

    def _flush(self) -> None:
        if self.carrier.out and not self.over:
            self.push(bytes(self.carrier.out))
            self.carrier.out.clear()


def refused(port: int, sandbox: str, namespace: str, two_families: bool) -> str:
    """The words of containerd when nobody listens on *port*.

    containerd internal/cri/server sandbox_portforward_linux.go
    """
    v6 = f"dial tcp6 [::1]:{port}: connect: connection refused"
    v6 = v6 if two_families else "dial tcp6: address localhost: no suitable address found"
    why = f'failed to connect to localhost:{port} inside namespace "{sandbox}", IPv4: dial tcp4 127.0.0.1:{port}: '
    why += f"connect: connection refused IPv6 {v6} "
    said = f'failed to execute portforward in network namespace "{namespace}": {why}'
    return f"error forwarding port {port} to pod {sandbox}, uid : {said}"
