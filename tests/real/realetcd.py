"""Real etcd members: started, killed, stopped, cut off and asked through the JSON gateway they all serve.

Requests and answers are dicts named like the fields of etcd's protocol, text where the wire has bytes, so that the
same dict can be put to `kubemini.etcd`. Every process is ended by its own pid; nothing listens but 127.0.0.1, unless
a subclass knows other `places`.
"""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from datetime import datetime
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
    "lease_keepalive": "lease/keepalive",
    "lease_time_to_live": "kv/lease/timetolive",
    "status": "maintenance/status",
    "alarm": "maintenance/alarm",
    "defragment": "maintenance/defragment",
    "move_leader": "maintenance/transfer-leadership",
    "member_list": "cluster/member/list",
    "member_add": "cluster/member/add",
    "member_remove": "cluster/member/remove",
    "member_promote": "cluster/member/promote",
}
BYTES = ("key", "keys", "range_end", "value")
CODES = {2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 8: "RESOURCE_EXHAUSTED"}
CODES |= {9: "FAILED_PRECONDITION", 11: "OUT_OF_RANGE", 14: "UNAVAILABLE"}
PATIENCE = 180  # seconds, for whatever will come for certain: the machine may be busy
STATE = "--initial-cluster-state"
ENDS_SOON = 6  # seconds, of a process that does not stay
LAST_WORDS = ("discovery failed", "server error")
SIGNALS = {"crash": signal.SIGKILL, "pause": signal.SIGSTOP, "terminate": signal.SIGTERM}


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def program():
    """The command of the etcd that is asked: the one that is installed, or what KUBEMINI_ETCD says (`make twin`)."""
    return shlex.split(os.environ.get("KUBEMINI_ETCD", "")) or [shutil.which("etcd") or "etcd"]


def version():
    """Of the etcd that is asked, such as "3.4.23"."""
    return subprocess.run([*program(), "--version"], capture_output=True, text=True, check=True).stdout.split()[2]


def release():
    """The same, as what came before what: (3, 4)."""
    return tuple(int(number) for number in version().split(".")[:2])


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
        return [from_wire(item, name) for item in value]
    if name in BYTES:
        return base64.b64decode(value).decode()
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


class RealMember:
    """One etcd process. *client* and *peer* are addresses with a port; *inside* is a command that runs another."""

    def __init__(self, name, folder, client, peer, cluster, pre_vote, flags=(), inside=()):
        self.name, self.client, self.log = name, client, folder / f"{name}.log"
        client_url, peer_url = f"http://{client}", f"http://{peer}"
        self.command = [
            *(*inside, *program(), "--name", name, "--data-dir", str(folder / name)),
            *("--listen-client-urls", client_url, "--advertise-client-urls", client_url),
            *("--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url),
            *("--initial-cluster", cluster, STATE, "new"),
            *("--logger", "zap", "--log-level", "info", "--log-outputs", str(self.log)),
            f"--pre-vote={'true' if pre_vote else 'false'}",
            *flags,
        ]
        self.process = None

    def start(self, *more):
        """Start it, with *more* flags if there are any: the last one of a name counts."""
        command = [*self.command, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def begin(self, state):
        """Start it as a member of a *state* cluster, new or existing; its last words if it ends soon, or None."""
        said = len(self.log.read_text().splitlines())
        self.start(STATE, state)
        try:
            self.process.wait(timeout=ENDS_SOON)
        except subprocess.TimeoutExpired:
            return None
        for line in reversed(self.log.read_text().splitlines()[said:]):
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("level") == "panic":
                return f"panic: {told['msg']}"
            if told.get("msg") in LAST_WORDS:
                return told["error"]
        raise AssertionError(f"{self.name} ended without a word")

    def lose_disk(self):
        """It dies, and so does what it has written."""
        self.stop()
        shutil.rmtree(self.log.parent / self.name, ignore_errors=True)

    def signal(self, number):
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(timeout=PATIENCE)

    def stop(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=PATIENCE)

    def mend(self):
        """Let it go on, or start it again."""
        self.signal(signal.SIGCONT) if self.process.poll() is None else self.start()

    def said(self, words, since):
        """The first instant, in seconds after *since*, at which its log has *words*; None if it has not."""
        for line in self.log.read_text().splitlines():
            if words in line:
                at = datetime.fromisoformat(json.loads(line)["ts"]).timestamp() - since
                if at > 0:
                    return at
        return None

    def _connect(self, timeout):
        return http.client.HTTPConnection(self.client, timeout=timeout)

    def ask(self, method, request, timeout=PATIENCE):
        """(ok, answer) or (False, {code, message}); the code "SILENT" when the member did not answer at all."""
        wire = self._connect(timeout)
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
            return True, from_wire(body.get("result", body))  # a stream wraps each of its answers
        return False, {"code": CODES.get(body.get("code"), body.get("code")), "message": body.get("message")}

    def watch(self, request, until, timeout=PATIENCE):
        """The events of a watch up to the revision *until*."""
        events, reached = [], 0
        for line in self._watched(request, timeout):
            found = from_wire(line["result"]).get("events", [])
            events += found
            reached = max([reached, *(event["kv"]["mod_revision"] for event in found)])
            if reached >= until:
                return events
        raise AssertionError(f"{self.name} ended a watch at revision {reached}")

    def end_of_watch(self, request, timeout=PATIENCE):
        """What a watch that requires a leader is told when it ends."""
        last = list(self._watched(request, timeout, {"Grpc-Metadata-hasleader": "true"}))[-1]
        return last["error"]["message"]

    def _watched(self, request, timeout, headers=()):
        """What a watch tells, line by line."""
        wire = self._connect(timeout)
        try:
            wire.request("POST", "/v3/watch", json.dumps({"create_request": to_wire(request)}), dict(headers))
            reply = wire.getresponse()
            while line := reply.readline():
                yield json.loads(line)
        finally:
            wire.close()


class RealCluster:
    """*size* members on the loopback, with more *flags* if there are any; use it in a `with`."""

    def __init__(self, folder: Path, size=3, pre_vote=True, flags=()):
        self.folder, self.joined, self.size = folder, [], size
        self.names = [f"etcd-{n}" for n in range(1, size + 1)]
        places = self.places()
        self.cluster = ",".join(f"{name}=http://{peer}" for name, (_, peer, _) in zip(self.names, places, strict=True))
        self.members = [
            RealMember(name, folder, client, peer, self.cluster, pre_vote, flags, inside)
            for name, (client, peer, inside) in zip(self.names, places, strict=True)
        ]

    def places(self):
        """For each member the addresses it listens on, for clients and for members, and the command that runs it."""
        ports = [f"127.0.0.1:{port}" for port in free_ports(2 * self.size)]
        return [(client, peer, ()) for client, peer in zip(ports[: self.size], ports[self.size :], strict=True)]

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
        client, peer = (f"127.0.0.1:{port}" for port in free_ports(2))
        url, flags = f"http://{peer}", ["--initial-cluster-state", "existing"]
        self.joined.append(RealMember(name, self.folder, client, peer, f"{self.cluster},{name}={url}", True, flags))
        return self.joined[-1], url

    def wait_for_leader(self, among=None):
        """The member that leads, once all of *among* (default: all) agree on it."""
        among = self.members if among is None else among
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            states = [member.ask("status", {}, timeout=5) for member in among]
            if all(ok for ok, _ in states):
                leaders = {answer.get("leader") for _, answer in states}
                own = [m for m, (_, a) in zip(among, states, strict=True) if leads(a)]
                if len(leaders) == 1 and own:
                    return own[0]
            time.sleep(0.02)
        raise AssertionError(f"no leader after {PATIENCE} s")

    # -- the face that ours has too: members by name, time in seconds ------------------------------------------------
    def member(self, name):
        return self.members[self.names.index(name)]

    def now(self):
        return time.monotonic()

    def rest(self, seconds):
        time.sleep(seconds)

    def leader(self, among=None):
        """Who leads, once all of *among* (default: all) agree."""
        return self.wait_for_leader(among and [self.member(name) for name in among]).name

    def ask(self, name, method, request, timeout=PATIENCE):
        return self.member(name).ask(method, request, timeout)

    def begin(self, name, state):
        return self.member(name).begin(state)

    def lose_disk(self, name):
        self.member(name).lose_disk()

    def leads(self, name):
        """Whether it takes itself for the leader."""
        ok, status = self.ask(name, "status", {})
        return ok and leads(status)

    def together(self, questions):
        """The answers to (after so many seconds, name, method, request), each with the seconds it took."""
        with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
            return list(pool.map(lambda question: self._timed(*question), questions))

    def _timed(self, after, *question):
        self.rest(after)
        since = self.now()
        return (*self.ask(*question), self.now() - since)

    def strike(self, name, how):
        """*how*: crash, pause or terminate."""
        self.member(name).signal(SIGNALS[how])

    def mend(self, name):
        self.member(name).mend()

    def end_of_watch(self, name, request, meanwhile):
        """How a watch that requires a leader ends, and how long after *meanwhile* was done."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            told = pool.submit(self.member(name).end_of_watch, request)
            time.sleep(0.2)
            meanwhile()
            since = self.now()
            return told.result(), self.now() - since


def leads(status):
    """Whether the member that answered *status* takes itself for the leader."""
    return status["header"]["member_id"] == status.get("leader")
