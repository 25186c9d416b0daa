"""What a kubectl line asks of the world, as values, and what it says when that goes wrong.

    answer = yield Ask("GET", "/api/v1/pods")        a line is a generator: it yields what it needs
    yield from fetched(Ask(…))                       … the object that came back, or Failed in kubectl's words

Invariant: a line knows no server, no clock and no file but through what it yields.
Models k/kubectl pkg/cmd/util checkErr StandardErrorMessage; k/client-go rest Request.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
NO_YAML = "reading YAML needs PyYAML, which is not here: write it as JSON"
Steps = Generator[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; *query* keeps its order, *body* is an object or text. The answer is an `Answer`."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    type: str = JSON
    accept: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """The next bytes of the stream that an answer has begun, or None when it has ended."""

    watch: Any


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for whoever is behind a stream."""

    watch: Any
    data: bytes


@dataclass(frozen=True, slots=True)
class Next:
    """The next event of the watch that an answer has begun: an object, or None when it has ended."""

    watch: Any


@dataclass(frozen=True, slots=True)
class Leave:
    """Nobody reads this watch any more."""

    watch: Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Let so much time (µs) pass."""

    time: int


@dataclass(slots=True)
class Visit:
    """A connection to a *port* of the machine where a line runs: what was sent, and what came back until it is over."""

    port: int
    data: bytes
    out: bytearray = field(default_factory=bytearray)
    over: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """The next `Visit` to one of these ports of this machine."""

    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The text of a file, or `Failed`; "-" is standard input."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a *body*, or a *watch* to read on, or *unreached*: why nobody has answered."""

    status: int = 0
    body: bytes = b""
    unreached: str = ""
    watch: Any = None
    warnings: tuple[str, ...] = ()

    @property
    def value(self) -> Any:
        """The object that the body holds."""
        return json.loads(self.body)


class Failed(Exception):
    """A line ends here; the message is what kubectl prints, *status* its exit status."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


class Refused(Failed):
    """A server has said no: *said* is its Status."""

    def __init__(self, said: Mapping[str, Any], doing: str = ""):
        self.said = said
        super().__init__(_sentence(said, doing))

    @property
    def reason(self) -> str:
        return str(self.said.get("reason") or "")

    @property
    def message(self) -> str:
        return str(self.said.get("message") or "")

    def when(self, doing: str) -> "Refused":
        """The same, of which kubectl says what it was *doing*: ``error when creating "web.yaml": ``."""
        return Refused(self.said, doing)


class Unreached(Failed):
    """Nobody has answered."""


class NoFile(Failed):
    """A file that cannot be read, and *why*, as the system says it."""

    def __init__(self, name: str, why: str):
        self.why = why
        missing = why == "no such file or directory"
        super().__init__(f'error: the path "{name}" does not exist' if missing else f"error: read {name}: {why}")


class Several(Failed):
    """Some things went wrong, each on its own."""

    def __init__(self, errors: list[Failed]):
        self.errors = errors
        super().__init__("\n".join(str(one) for one in errors))


def fail(text: str) -> Failed:
    """What kubectl itself complains of."""
    return Failed(text if text.startswith("error: ") else f"error: {text}")


def together(errors: list[Failed]) -> None:
    """Raise what went wrong, if anything did; the same words count once."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        told = dict.fromkeys(str(one) for one in errors)
        raise Several([Failed(text) for text in told])


def _sentence(said: Mapping[str, Any], doing: str) -> str:
    details = said.get("details") or {}
    if said.get("reason") == "Invalid":
        return _invalid(said, details)
    reason = f" ({said['reason']})" if said.get("reason") else ""
    return f"Error from server{reason}: {doing}{said.get('message', '')}"


def _invalid(said: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    message = "The request is invalid"
    causes = details.get("causes") or []
    if details.get("kind") or details.get("name"):
        message = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    elif said.get("message") and not causes:
        message += f": {said['message']}"
    if not causes:
        return message
    told = dict.fromkeys(f"{one.get('field', '')}: {one.get('message', '')}" for one in causes)
    if len(told) == 1:
        return f"{message}: {next(iter(told))}"
    return "\n".join([f"{message}: ", *(f"* {line}" for line in told)])


_BY_CODE = {  # what client-go makes of an answer that is no Status. Models k/apimachinery NewGenericServerResponse
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    409: ("Conflict", "the server reported a conflict"),
    415: ("UnsupportedMediaType", "the server was unable to process the content type sent by the client"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}


def fetched(ask: Ask) -> Steps:
    """The object that answers *ask*. Raises Refused or Unreached."""
    answer = yield ask
    return checked(answer).value


def checked(answer: Answer) -> Answer:
    """*answer*, if it is one that one can go on with. Raises Refused or Unreached."""
    if answer.unreached:
        raise Unreached(answer.unreached)
    if answer.status >= 400:
        raise Refused(_status(answer))
    return answer


def _status(answer: Answer) -> Mapping[str, Any]:
    """The Status that a refusal is, made up if the body holds none."""
    try:
        value = answer.value
    except ValueError:
        value = None
    if isinstance(value, dict) and value.get("kind") == "Status":
        return value
    text = answer.body.decode(errors="replace").strip()
    reason, message = _BY_CODE.get(answer.status, ("", ""))
    if answer.status >= 500 and not message:
        reason = "InternalError"
        message = f'an error on the server ("{text}") has prevented the request from succeeding'
    elif answer.status == 403:
        message = f'forbidden: "{text}"'
    return {"message": message or text or "unknown", "reason": reason, "details": {}}


@dataclass(slots=True)
class Screen:
    """What a line has printed, in order; *now* is the clock of whoever types (µs), kept by the driver."""

    said: list[tuple[str, str]] = field(default_factory=list)
    now: int = 0

    def out(self, text: str) -> None:
        """Print *text* as it is."""
        if text:
            self.said.append(("out", text))

    def line(self, text: str) -> None:
        """Print *text* and end the line."""
        self.out(text + "\n")

    def err(self, text: str) -> None:
        """Print *text* as it is on standard error."""
        if text:
            self.said.append(("err", text))

    def complain(self, text: str) -> None:
        """A line for standard error."""
        self.said.append(("err", text + "\n"))

    def text(self, stream: str = "") -> str:
        """All of it, or what went to one stream."""
        return "".join(text for where, text in self.said if stream in ("", where))
