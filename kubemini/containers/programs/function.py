"""A Python function that a scenario or a notebook has registered for an image (`Cluster.use_program`).

    def web(request):                       answers on every port that the container declares (or 80)
        return "hello"                      or (404, "no such page"), or an Answer

    def worker(process):                    a generator: it lives as a process, and does what `Process` can
        process.out("up\\n")
        yield Sleep(5 * SECOND)
        return 1

Invariant: a function that raises ends its container with 1, and its log says why; the cluster goes on.
Models nothing upstream.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from kubemini.containers.context import Answer, Request
from kubemini.containers.process import Life, Main, Process, Server, Sleep
from kubemini.sim.defects import last_line

USUAL = 80


def main_of(function: Callable[..., Any]) -> Main:
    """*function* as a program."""
    return partial(_lives if inspect.isgeneratorfunction(function) else _serves, function)


def _lives(function: Callable[..., Any], process: Process) -> Life:
    process.on("TERM", partial(process.end, 0))
    try:
        code = yield from function(process)
    except Exception as error:
        return process.complain(last_line(error))
    return int(code or 0)


def _serves(function: Callable[..., Any], process: Process) -> Life:
    process.on("TERM", partial(process.end, 0))
    for port in process.inside.setting.ports or (USUAL,):
        process.listen(port, Server(partial(_answer, function, process)))
    yield Sleep()
    return 0


def _answer(function: Callable[..., Any], process: Process, request: Request) -> Answer:
    """What the function says; each request is asked anew, so nobody may reuse an answer."""
    now = process.inside.runtime.now
    try:
        found = function(request)
    except Exception as error:
        process.complain(last_line(error))
        process.end(1)
        return Answer(500, b"", until=now)
    if isinstance(found, Answer):
        return found
    status, body = found if isinstance(found, tuple) else (200, found)
    return Answer(int(status), body if isinstance(body, bytes) else str(body).encode(), until=now)
