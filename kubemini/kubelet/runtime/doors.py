"""The doors of a pod: which of its programs listens on a port, and what it answers there.

Invariant: the containers of a pod share its network, so a port is the pod's, whoever of them listens.
A program that is known answers on the ports that it has opened. One that is not is asked for the page that says who it
is, on the ports that its pod declares; a connection that asks for nothing it takes on any.
Models k/cri-streaming pkg/streaming/portforward (the runtime dials in the pod's network namespace)
"""

from collections.abc import Callable
from typing import Any

from kubemini.api.objects import get
from kubemini.containers import Answer, Request
from kubemini.host.linux import podnetwork
from kubemini.kubelet.decide.pages import Page, container_of, ports
from kubemini.kubelet.runtime.containers import Containers
from kubemini.kubelet.runtime.life import Life
from kubemini.kubelet.runtime.sandbox import PodSandbox

Take = Callable[[Answer], None]
LOOPBACK = "127.0.0.1"


def known(sandbox: PodSandbox) -> list[Life]:
    """The programs of a pod that run and are known."""
    lives = (sandbox.lives.get(run.id) for run in sandbox.view.running())
    return [life for life in lives if life is not None and not (life.plain or life.over)]


def reached(
    containers: Containers, ip: str, port: int, protocol: str = "TCP", near: bool = False
) -> tuple[PodSandbox | None, int]:
    """The pod that is reached at *port* of *ip* on this host, and at which of its ports; *near*: by the loopback.

    A port of the host that leads to a pod (hostPort) comes first, as its rules do.
    """
    if ip in podnetwork.own_addresses(containers.host):
        shown = ("", "0.0.0.0", LOOPBACK if near else ip)
        for sandbox in containers.of_pod.values():
            for one in _mapped(sandbox):
                if (one["hostPort"], one.get("protocol", "TCP")) == (port, protocol) and one.get("hostIP", "") in shown:
                    return sandbox, int(one["containerPort"])
    found = [one for one in containers.of_pod.values() if ip in one.ips]
    takes = [one for one in found if _takes(containers, one, port, protocol)]
    return (takes[0] if takes and len(found) > 1 else containers.at(ip)), port


def _mapped(sandbox: PodSandbox) -> list[Any]:
    """Its ports that are ports of the host too, while it runs."""
    alive = bool(sandbox.view.running()) and not get(sandbox.pod, "spec", "hostNetwork")
    return [
        port
        for container in (sandbox.pod["spec"]["containers"] if alive else ())
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


def _takes(containers: Containers, sandbox: PodSandbox, port: int, protocol: str) -> bool:
    if protocol == "UDP":
        return any(life.inside.hears(port) for life in known(sandbox))
    return listens(containers, sandbox, port)


def listens(containers: Containers, sandbox: PodSandbox, port: int) -> bool:
    """Whether a connection to *port* of a pod is taken."""
    return any(life.inside.listens(port) for life in known(sandbox)) or _page(containers, sandbox, port) is not None


def ask(containers: Containers, sandbox: PodSandbox, port: int, request: Request, take: Take) -> bool:
    """Ask what listens on *port*; *take* gets its answer, or nothing if it ends before. False: it cannot be asked."""
    if any(life.inside.answer(port, request, take) for life in known(sandbox)):
        return True
    page = _page(containers, sandbox, port)
    if page is None:
        return False
    containers.served(sandbox.ip, port, request.method, request.path, request.source)
    take(Answer(200, page.text(request.method, request.path).encode()))
    return True


def datagram(sandbox: PodSandbox, port: int, data: bytes, source: str) -> bytes | None:
    """What a program of a pod answers by UDP, b"": nothing; None: nobody listens on *port*."""
    answers = (life.inside.datagram(port, data, source) for life in known(sandbox))
    return next((answer for answer in answers if answer is not None), None)


def knock(containers: Containers, sandbox: PodSandbox, port: int, source: str, take: Take) -> bool:
    """A client of a Service at *port*: he wants its page, or only to be let in. False: he is refused."""
    programs = known(sandbox)
    if any(life.inside.answer(port, Request(source=source), take) for life in programs):
        return True
    if any(life.inside.listens(port) for life in programs):
        take(Answer())
        return True
    if programs and not any(life.plain for life in sandbox.lives.values()):
        return False
    containers.served(sandbox.ip, port, source=source)
    take(Answer())
    return True


def _page(containers: Containers, sandbox: PodSandbox, port: int) -> Page | None:
    """The page of a program that is not known, if it listens on *port*."""
    name = ports(sandbox.pod).get(port)
    run = sandbox.view.latest(name) if name is not None else None
    life = sandbox.lives.get(run.id) if run is not None else None
    if name is None or life is None or not life.plain:
        return None
    if podnetwork.pod_at(containers.host, sandbox.ip) != sandbox.name:
        return None
    return Page(sandbox.name, container_of(sandbox.pod, name).get("image", ""), containers.host.name)
