"""``kubectl port-forward``: ports of this machine lead into a pod, through the API server and its node's kubelet.

Models k/kubectl pkg/cmd/portforward PortForwardOptions.RunPortForwardContext translateServicePortToTargetPort;
k/client-go tools/portforward parsePorts PortForwarder.handleConnection
Simplified: each connection is carried by a WebSocket of its own, where a real kubectl keeps one of SPDY; and they are
carried one after the other.
"""

from datetime import UTC, datetime
from typing import Any

from kubemini.frames import websocket
from kubemini.frames.websocket import BINARY, Frames, from_client
from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import Ask, Listen, Raw, Send, Steps, Visit, fail
from kubemini.users.decide.kubectl.flags import ARRAY, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import usage
from kubemini.users.decide.kubectl.verbs.inside import ATTACH, UPGRADE, not_upgraded, pods_behind

OF_FORWARD = (
    Flag("address", kind=ARRAY),
    Flag("pod-running-timeout", kind=TIME, default=60 * SECOND),
)
DATA, ERROR = 0, 1  # channels of the one port that a WebSocket carries
CHANNELS = (*UPGRADE[:-1], ("Sec-WebSocket-Protocol", "v4.channel.k8s.io"))
FREE = 32768  # net.ipv4.ip_local_port_range: the first port that a kernel gives away


def forward(line: Line, given: Given) -> Steps:
    """Lead ports of this machine into a pod, until that fails or somebody interrupts it."""
    words = given.words
    if len(words) < 2:
        raise usage("TYPE/NAME and list of ports are required for port-forward", "port-forward")
    meant = yield from targets.meant(line, [words[0] if "/" in words[0] else f"pods/{words[0]}"])
    (info,) = yield from targets.fetched_all(line, meant)
    is_pod = info.resource.name == "pods"
    pod = info.obj if is_pod else (yield from pods_behind(line, info, False, ATTACH))[0]
    phase = (pod.get("status") or {}).get("phase", "")
    if phase != "Running":
        raise fail(f"unable to forward port because pod is not running. Current status={phase}")
    pairs = [_pair(word) for word in words[1:]]
    if info.resource.name == "services":
        pairs = [(local, _target(info.obj, pod, remote)) for local, remote in pairs]
    ports = {local or FREE + number: remote for number, (local, remote) in enumerate(pairs)}
    for local, remote in ports.items():
        for host in ("127.0.0.1", "[::1]"):
            line.screen.line(f"Forwarding from {host}:{local} -> {remote}")
    while True:
        visit = yield Listen(tuple(ports))
        line.screen.line(f"Handling connection for {visit.port}")
        wrong = yield from _carry(line, pod, ports[visit.port], visit)
        visit.over = True
        if wrong:
            line.screen.complain(_logged(line.now, wrong, visit.port, ports[visit.port]))
            raise fail("lost connection to pod")


def _pair(word: str) -> tuple[int, int]:
    """The port here (0: any) and the one there. Raises Failed."""
    parts = word.split(":")
    if len(parts) > 2:
        raise fail(f"invalid port format '{word}'")
    here, there = (parts[0], parts[-1]) if len(parts) == 1 else (parts[0] or "0", parts[1])
    for which, text in (("local", here), ("remote", there)):
        if not text.isdigit() or int(text) > 65535:
            why = "value out of range" if text.isdigit() else "invalid syntax"
            raise fail(f"error parsing {which} port '{text}': strconv.ParseUint: parsing \"{text}\": {why}")
    if there == "0":
        raise fail("remote port must be > 0")
    return int(here), int(there)


def _target(service: Any, pod: Any, port: int) -> int:
    """The port of *pod* behind a *port* of its Service. Raises Failed."""
    for one in service["spec"].get("ports") or []:
        if one["port"] == port:
            target = one.get("targetPort") or port
            named = (
                known["containerPort"]
                for container in pod["spec"]["containers"]
                for known in container.get("ports") or []
                if known.get("name") == target
            )
            return int(target) if str(target).isdigit() else int(next(named, port))
    raise fail(f"Service {service['metadata']['name']} does not have a service port {port}")


def _carry(line: Line, pod: Any, port: int, visit: Visit) -> Steps:
    """One connection, from its first byte to its last: what went wrong, in the kubelet's words."""
    meta = pod["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/portforward"
    answer = yield Ask("GET", path, (("ports", str(port)),), accept="*/*", headers=CHANNELS)
    if answer.watch is None:
        raise not_upgraded(answer)
    yield Send(answer.watch, from_client(BINARY, bytes([DATA]) + visit.data))
    frames, wrong = Frames(masked=False), b""
    begun: set[int] = set()
    while (piece := (yield Raw(answer.watch))) is not None:
        for message in frames.receive(piece):
            if message.opcode == websocket.CLOSE:
                return wrong.decode(errors="replace")
            channel, data = message.data[0], message.data[1:]
            if channel not in begun:  # each begins with the number of its port
                begun.add(channel)
            elif channel == ERROR:
                wrong += data
            else:
                visit.out += data
    return wrong.decode(errors="replace")


def _logged(now: int, wrong: str, local: int, remote: int) -> str:
    """A line of klog."""
    at = datetime.fromtimestamp(now / SECOND, UTC).strftime("%m%d %H:%M:%S.%f")
    text = wrong.replace("\\", "\\\\").replace('"', '\\"')
    where = f'"An error occurred forwarding" err="{text}" localPort={local} remotePort={remote}'
    return f"E{at}       1 portforward.go:549] {where}"


def asked(path: str, host: str = "127.0.0.1") -> bytes:
    """What a browser or curl sends to see *path*."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
