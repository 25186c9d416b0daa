"""tool: the program of the recorded lives of pods, which does one thing at a time that a pod can do to its kubelet.

    sleep N                         ends with 0 after N seconds
    crash N CODE                    ends with CODE after N seconds
    term N CODE                     on SIGTERM it needs N seconds, and ends with CODE
    ignoreterm N                    SIGTERM does nothing; ends with 0 after N seconds
    http PORT [BAD [GOOD]]          /healthz says 200; 503 in the first GOOD seconds, 500 after BAD seconds (0: never)
    grpc PORT                       the health service: NOT_SERVING once the file /data/bad is there
    eat MIB                         takes so much memory, and waits
    msg TEXT CODE [PATH]            writes TEXT to the termination log, and ends with CODE

Models nothing upstream: the recordings' README says what each does; all but ignoreterm end with 0 on SIGTERM.
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, urlsplit

from kubemini.containers.context import Answer, Health, Request
from kubemini.containers.process import Life, Process, Server, Sleep
from kubemini.sim.units import NEVER, SECOND

FOREVER = 1_000_000  # seconds
TERMINATION_LOG = "/dev/termination-log"
BAD = "/data/bad"
MIB = 1 << 20
REDIRECT = "http://example.com/"
USAGE = 2


def main(process: Process) -> Life:
    """What the first argument says."""
    name, *arguments = process.argv[1:] or ["sleep", str(FOREVER)]
    act = COMMANDS.get(name)
    if act is None:
        return process.complain(f"tool: unknown command {name}", USAGE)
    process.on("TERM", partial(process.end, 0))
    try:
        return (yield from act(process, arguments))
    except (ValueError, IndexError):
        return process.complain(f"tool: wrong arguments of {name}: {' '.join(arguments)}", USAGE)


def _sleep(process: Process, arguments: list[str]) -> Life:
    yield Sleep(round(float(arguments[0]) * SECOND))
    return 0


def _crash(process: Process, arguments: list[str]) -> Life:
    yield Sleep(round(float(arguments[0]) * SECOND))
    return int(arguments[1])


def _term(process: Process, arguments: list[str]) -> Life:
    wait, code = round(float(arguments[0]) * SECOND), int(arguments[1])
    process.on("TERM", lambda: process.end_in(wait, code))
    yield Sleep()
    return 0


def _ignore_term(process: Process, arguments: list[str]) -> Life:
    process.on("TERM", None)
    return (yield from _sleep(process, arguments))


def _http(process: Process, arguments: list[str]) -> Life:
    port, bad, good = (int(word) for word in (*arguments, "0", "0")[:3])
    began = process.now
    bad_at = began + bad * SECOND if bad else NEVER
    told: list[int] = []
    process.listen(port, Server(partial(_answer, process, began + good * SECOND, bad_at, told)))
    yield Sleep()
    return 0


def _answer(process: Process, good_at: int, bad_at: int, told: list[int], request: Request) -> Answer:
    url = urlsplit(request.path)
    if url.path == "/set":
        told[:] = [int(parse_qs(url.query)["code"][0])]
        process.inside.runtime.changed()
        return Answer(200, b"ok\n")
    if url.path == "/slow":
        return Answer(200, b"slow\n", delay=5 * SECOND)
    if url.path == "/out":
        return Answer(302, b"", (("Location", REDIRECT),))
    if url.path != "/healthz":
        return Answer(404, b"404 page not found\n")
    now = process.now
    if told:
        return Answer(told[0], b"")
    if now < good_at:
        return Answer(503, b"status 503\n", until=good_at)
    return Answer(200, b"status 200\n", until=bad_at) if now < bad_at else Answer(500, b"status 500\n")


def _grpc(process: Process, arguments: list[str]) -> Life:
    def health(service: str) -> Health:
        bad = process.files.exists(BAD)
        return Health("" if service else "NOT_SERVING" if bad else "SERVING")

    process.listen(int(arguments[0]), Server(health=health))
    yield Sleep()
    return 0


def _eat(process: Process, arguments: list[str]) -> Life:
    process.allocate(int(arguments[0]) * MIB)
    yield Sleep()
    return 0


def _message(process: Process, arguments: list[str]) -> Life:
    text, code, path = (*arguments, TERMINATION_LOG)[:3]
    process.files.write(path, text.encode())
    return int(code)
    yield Sleep()


COMMANDS: dict[str, Callable[[Process, list[str]], Life]] = {
    "sleep": _sleep,
    "crash": _crash,
    "term": _term,
    "ignoreterm": _ignore_term,
    "http": _http,
    "grpc": _grpc,
    "eat": _eat,
    "msg": _message,
}
