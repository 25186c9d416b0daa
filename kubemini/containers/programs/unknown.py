"""What runs in a container of an image that is not known: it is started, and does nothing.

It listens on the ports that its container declares and says there who it is, since a declaration is all that is known
of it; on SIGTERM it ends with 0.
Models nothing upstream: what a program of a real image would do, nobody knows here.
"""

from collections.abc import Mapping
from functools import partial

from kubemini.containers.context import Answer, Request
from kubemini.containers.files import Trouble
from kubemini.containers.process import Life, Main, Process, Server, Sleep


def main(process: Process) -> Life:
    """Say who it is until it is told to end."""
    process.on("TERM", partial(process.end, 0))
    for port in process.inside.setting.ports:
        try:
            process.listen(port, Server(partial(answer, process)))
        except Trouble:
            continue  # another container of the same network is first
    yield Sleep()
    return 0


def answer(process: Process, request: Request) -> Answer:
    """One line that says who answers what."""
    about = process.inside.setting.about
    who = f"{about.get('pod', process.inside.setting.hostname)} ({about.get('image', '')}) on {about.get('node', '')}"
    return Answer(body=f"{who} answers {request.method} {request.path}\n".encode())


def stands_for(name: str, programs: Mapping[str, Main]) -> bool:
    """Whether a command of that name is unknown as well: no program that one expects everywhere."""
    return name.rpartition("/")[2] not in {path.rpartition("/")[2] for path in programs}
