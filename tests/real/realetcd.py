"""Real etcd members on loopback: started, killed, stopped and asked through the JSON gateway they all serve.

Requests and answers are dicts named like the fields of etcd's protocol, text where the wire has bytes, so that the
same dict can be put to `kubemini.etcd`. Every process is ended by its own pid; nothing listens but 127.0.0.1.
"""

import base64
import contextlib
import http.client
import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PATHS = {
    "range": "kv/range",
    "put": "kv/put",
    "delete_range": "kv/deleterange",
    "txn": "kv/txn",
    "compact": "kv/compaction",
    "lease_grant": "lease/grant",
    "lease_revoke": "kv/lease/revoke",
    "lease_leases": "kv/lease/leases",
    "status": "maintenance/status",
    "alarm": "maintenance/alarm",
    "defragment": "maintenance/defragment",
    "move_leader": "maintenance/transfer-leadership",
    "member_list": "cluster/member/list",
    "member_add": "cluster/member/add",
    "member_remove": "cluster/member/remove",
    "member_promote": "cluster/member/promote",
}
BYTES = ("key", "range_end", "value")
CODES = {2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 8: "RESOURCE_EXHAUSTED"}
CODES |= {9: "FAILED_PRECONDITION", 11: "OUT_OF_RANGE", 14: "UNAVAILABLE"}


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def to_wire(value, name=""):
    if isinstance(value, dict):
        return {key: to_wire(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [to_wire(item) for item in value]
    return base64.b64encode(value.encode()).decode() if name in BYTES and isinstance(value, str) else value


def from_wire(value, name=""):
    """Text for bytes, numbers for the strings that JSON has in their place."""
    if isinstance(value, dict):
        return {key: from_wire(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [from_wire(item) for item in value]
    if name in BYTES:
        return base64.b64decode(value).decode()
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


class RealMember:
    """One etcd process."""

    def __init__(self, name, folder, client_port, peer_port, cluster, pre_vote, flags=()):
        self.name, self.port = name, client_port
        client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
        self.command = [
            *(shutil.which("etcd") or "etcd", "--name", name, "--data-dir", str(folder / name)),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", cluster, "--initial-cluster-state", "new", "--log-level", "error"),
            f"--pre-vote={'true' if pre_vote else 'false'}",
            *flags,
        ]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def signal(self, number):
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(timeout=20)

    def stop(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=20)

    def ask(self, method, request, timeout=20):
        """(ok, answer) or (False, {code, message}); the code "SILENT" when the member did not answer at all."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            wire.request("POST", f"/v3/{PATHS[method]}", json.dumps(to_wire(request)))
            reply = wire.getresponse()
            body = json.loads(reply.read())
        except (OSError, http.client.HTTPException) as error:
            refused = isinstance(error, ConnectionRefusedError)
            return False, {"code": "REFUSED" if refused else "SILENT", "message": str(error)}
        finally:
            wire.close()
        if reply.status == 200:
            return True, from_wire(body)
        return False, {"code": CODES.get(body.get("code"), body.get("code")), "message": body.get("message")}

    def watch(self, request, until, timeout=20):
        """The events of a watch up to the revision *until*."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        events, reached = [], 0
        try:
            wire.request("POST", "/v3/watch", json.dumps({"create_request": to_wire(request)}))
            reply = wire.getresponse()
            while reached < until:
                result = from_wire(json.loads(reply.readline())["result"])
                events += result.get("events", [])
                reached = max([reached, *(e["kv"]["mod_revision"] for e in result.get("events", []))])
        finally:
            wire.close()
        return events


class RealCluster:
    """*size* members, with more *flags* if there are any; use it in a `with`."""

    def __init__(self, folder: Path, size=3, pre_vote=True, flags=()):
        ports, self.folder, self.joined = free_ports(2 * size), folder, []
        names = [f"etcd-{n}" for n in range(1, size + 1)]
        self.cluster = cluster = ",".join(
            f"{name}=http://127.0.0.1:{port}" for name, port in zip(names, ports[size:], strict=True)
        )
        self.members = [
            RealMember(name, folder, client, peer, cluster, pre_vote, flags)
            for name, client, peer in zip(names, ports[:size], ports[size:], strict=True)
        ]

    def __enter__(self):
        for member in self.members:
            member.start()
        self.wait_for_leader()
        return self

    def __exit__(self, *_):
        for member in (*self.members, *self.joined):
            member.stop()

    def newcomer(self, name):
        """A member to be, not started, and its peer URL."""
        client, peer = free_ports(2)
        url, flags = f"http://127.0.0.1:{peer}", ["--initial-cluster-state", "existing"]
        self.joined.append(RealMember(name, self.folder, client, peer, f"{self.cluster},{name}={url}", True, flags))
        return self.joined[-1], url

    def wait_for_leader(self, among=None, seconds=20):
        """The member that leads, once all of *among* (default: all) agree on it."""
        among = self.members if among is None else among
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            states = [member.ask("status", {}, timeout=1) for member in among]
            if all(ok for ok, _ in states):
                leaders = {answer.get("leader") for _, answer in states}
                own = [
                    m for m, (_, a) in zip(among, states, strict=True) if a["header"]["member_id"] == a.get("leader")
                ]
                if len(leaders) == 1 and own:
                    return own[0]
            time.sleep(0.02)
        raise AssertionError(f"no leader after {seconds} s")
