"""Recorded sessions, played on a server of ours and judged by the run.py that lies above them.

run.py does all that it does with a real server: it fills in the steps, waits, reads watches, and compares through its
own `Glasses`. Only what it talks to is ours: `world.Inside` for its `Server`, `Reader` for its `Watch`, and
simulated time for the clock.
"""

import json
from functools import cache, partial
from http.client import HTTPMessage
from pathlib import Path
from types import SimpleNamespace

from tests.oracles import judges
from tests.oracles.sessions.world import Inside

OWN_JUDGE = Path(__file__).parent / "run.py"


def cases(path, data):
    """(name, how to run it) of the session in a file, if it holds one."""
    if isinstance(data, dict) and {"steps", "area"} <= data.keys() and not {"history", "objects"} & data.keys():
        yield f"{data['area']}/{data['name']}", partial(differences, path, data)


def differences(path, session):
    """What run.py finds: one line a step that differs."""
    judge = judge_of(path)
    params = tuple(session.get("params", {}).items())
    server = Asked(world(tuple(session.get("needs", ["api"])), params), judge)
    judge.Watch = partial(Reader, judge)
    judge.time = SimpleNamespace(monotonic=server.world.clock, sleep=server.world.sleep)
    return [
        f"step {number}{asked(session, number)}: {at}: wanted {judge.short(wanted)}, got {judge.short(got)}"
        for number, at, wanted, got in judge.replay(session, server, ())
    ]


def asked(session, number):
    """What a step asks, in brackets; step 0 is the order of all versions."""
    step = session["steps"][number - 1] if number else {}
    step = step.get("watch") or step.get("wait") or step
    return f" ({step.get('method', 'GET')} {step['path']})" if "path" in step else ""


@cache
def world(needs, params):
    """One server for all sessions that need the same, as run.py wants it; *params*: those that are not as usual."""
    return Inside(needs, params)


def judge_of(path):
    """The run.py in a folder above *path*, or our own."""
    above = [folder for folder in Path(path).resolve().parents if (folder / OWN_JUDGE.name).exists()]
    return _judge(above[0] if above else OWN_JUDGE.parent)


@cache
def _judge(folder):
    return judges.beside(folder, OWN_JUDGE)


class Asked:
    """What run.py calls a server."""

    def __init__(self, world, judge):
        self.world, self.judge = world, judge

    def ask(self, step):
        """One request: code, answer, headers."""
        answer = self.world.send(step, self.judge.AGENT)
        return answer.status, self.judge.parse(self.world.whole(answer)), message(answer.headers)


class Reader:
    """What run.py calls a watch: read as far as it is asked to be."""

    def __init__(self, judge, server, step):
        watch, self.judge, self.world = step["watch"], judge, server.world
        self.wanted, self.seconds = watch.get("for_events"), watch.get("seconds", 10)
        self.stream = self.world.send(watch, judge.AGENT)
        self.code, self.answer = self.stream.status, None
        self.deadline = self.world.clock() + self.seconds
        if self.code != 200:
            self.answer = judge.parse(self.world.whole(self.stream))

    def collect(self):
        """The events, after a while."""
        if self.code != 200:
            return []
        events = self.world.events(self.stream, self.wanted, max(0.0, self.deadline - self.world.clock()))
        return [json.loads(event) for event in events]


def message(headers):
    """Headers as http.client gives them."""
    found = HTTPMessage()
    for name, value in headers:
        found.add_header(name, value)
    return found
