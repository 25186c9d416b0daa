"""What a container runtime gives a container, and what goes in and out of it: values and protocols.

    setting = Setting(hostname="web-1", environment={"A": "1"}, mounts=[Mount("/data", Folder())])
    inside = Inside(program_for("nginx:1.29", (), ()), setting, runtime)          see `inside`

Invariant: nothing here knows an object of Kubernetes. Whoever holds a container (a kubelet's runtime, a test) makes its
`Setting` from whatever he knows, and is its `Runtime`: its clock, its log, its network.
Models nothing upstream: this is the seam between a container and a simulation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from kubemini.containers.files import Mount
from kubemini.sim.units import MS, NEVER

OUT, ERR = 1, 2  # file descriptors
OOM_KILLED = "OOMKilled"


class Timer(Protocol):
    """Something that will happen unless it is cancelled."""

    def cancel(self) -> None:
        """Forget it."""


class Runtime(Protocol):
    """Who holds a container. Nothing of a container that has ended calls it any more."""

    @property
    def now(self) -> int:
        """The instant, µs."""

    @property
    def wall(self) -> int:
        """The date, µs."""

    def after(self, delay: int, act: Callable[..., None], *args: Any) -> Timer:
        """``act(*args)`` in *delay* µs."""

    def say(self, stream: int, data: bytes) -> None:
        """The container writes on OUT or ERR: any number of bytes, not always whole lines."""

    def ended(self, code: int, reason: str) -> None:
        """Its first process has ended, and with it all others. *reason* is `OOM_KILLED` or "". Called once.

        It may be called while `Inside.start`, `signal` or `exec` has not yet returned.
        """

    def failed(self, program: str, error: Exception) -> None:
        """Code of one of its processes has raised *error*, and that process ends of it."""

    def changed(self) -> None:
        """What a probe would be told may be another from now on: a port, a file, an answer. It may come too often."""

    def ask(self, what: str, of: Any, then: Callable[[dict[str, Any]], None]) -> None:
        """Ask the network.

        *what* is "lookup" (a name), "resolve" (`Lookup`), "fetch" (a URL, a `Fetch`) or "send" (`Packet`).
        *then* is told, once, as `users/inpods` answers: {name, addresses, server, silent}; {records, silent};
        fetch and send: {body, error}.
        """


@dataclass(frozen=True, slots=True)
class Setting:
    """What a container finds when it starts."""

    hostname: str = "localhost"
    environment: Mapping[str, str] = field(default_factory=dict)  # with the runtime's own: PATH, HOSTNAME
    mounts: Sequence[Mount] = ()  # /etc/hosts, /etc/resolv.conf, /dev/termination-log and all volumes
    workdir: str = ""  # "": the image's
    memory: int | None = None  # limit in bytes
    cpu: int | None = None  # limit in thousandths of a core
    ports: tuple[int, ...] = ()  # that it declares: all that is known of an unknown image
    about: Mapping[str, str] = field(default_factory=dict)  # pod, node: what an unknown program says of itself
    stdin: bool = False  # its first process has an input, `Inside.typed`; else that ends at once
    tty: bool = False  # which is a terminal
    user: int = 0  # who its processes are
    groups: tuple[int, ...] = (0,)  # theirs, the first one first
    privileged: bool = False  # they may do to the machine what its own may
    escalates: bool = True  # they may become more than they began as (allowPrivilegeEscalation)
    fixed: bool = False  # nobody writes to its own files (readOnlyRootFilesystem)
    sysctls: Mapping[str, str] = field(default_factory=dict)  # of its kernel, what is not as usual


class Request(NamedTuple):
    """What somebody asks a program at one of its ports by HTTP; *path* with its query, *headers* by lower-case name."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    source: str = "127.0.0.1"
    host: str = ""


class Answer(NamedTuple):
    """What the program says: after *delay* µs, if it still runs then.

    *until*: the same request gets the same answer before that instant, unless `Runtime.changed` is called. So whoever
    asks again and again need not: a probe of a program that is well costs nothing.
    *work*: µs of computing that it costs; only a container with a limit of CPU is slower for it.
    *later*: what is to be said depends on others, whom the program asks: the rest of this value means nothing, and
    `later` is called with whoever takes the answer (`Inside.answer` does so).
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/plain; charset=utf-8"),)
    delay: int = 0
    until: int = NEVER
    work: int = MS
    later: Callable[[Callable[["Answer"], None]], None] | None = None


class Packet(NamedTuple):
    """Bytes for *port* of *host* by TCP or UDP, and how long (µs) an answer is waited for."""

    protocol: str
    host: str
    port: int
    data: bytes
    patience: int


class Fetch(NamedTuple):
    """A page to be fetched in another way than by GET."""

    url: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Lookup(NamedTuple):
    """A question to the name servers of a container; *search*: below the domains of its resolv.conf too."""

    name: str
    type: str
    tcp: bool = False
    search: bool = False


class CannotStart(Exception):
    """There is no such program in the container, or no such folder to start it in; the text is runc's."""


class NoCommand(Exception):
    """Neither the image nor the container says what to run."""


class Health(NamedTuple):
    """What a gRPC health service says: *status* is SERVING, NOT_SERVING, or "" if it does not know the service."""

    status: str
    until: int = NEVER
