"""The message handler behind every widget: the same in a Jupyter kernel and in the browser's worker.

{"op": "simulate", "id": 1, "spec": {"scenario", "seed", "commands", "until", "params"}, "picture": the widget's name}
  -> {"op": "trace", "id": 1, "run": …}      see `kubemini.view.scene.present`
{"op": "elections", "id": 1, "seeds": [first, last + 1], "timeout": [low, high]} or {…, "scenario", "params"}
  -> {"op": "elections", "id": 1, "times": [ms or null for none in 15 s, …]}
{"op": "request", "id": 1, "asked": {"user", "method", "path", "hook", "body"}}
  -> {"op": "request", "id": 1, "walk": …}   see `kubemini.requests.traced.TracedRequest.data`
{"op": "stopwatch", "id": 1, "fault", "back", "seed", "timers": {name: seconds}}
  -> {"op": "stopwatch", "id": 1, "watch": …}   see `kubemini.study.failures.Watch.data`
{"op": "lanes", "id": 1, "line": "scale deployment web --replicas 3", "without": "" or a program}
  -> {"op": "lanes", "id": 1, "lanes": …}    see `kubemini.view.lanes.shown`
{"op": "placement", "id": 1, "asked": {"case", "deeds": [[name, words…], …], "pod"}}
  -> {"op": "placement", "id": 1, "state": …}   see `kubemini.explaining.stage.Stage.table`
  -> {"op": "error", "id": 1, "error": one clear sentence}
"""

from collections.abc import Callable
from typing import Any

from kubemini.explaining import cases
from kubemini.ranges import is_whole, shown
from kubemini.requests import broken
from kubemini.scenarios import load, with_params
from kubemini.sim.units import SECOND, duration
from kubemini.simulate import Runaway, collector_paused, run
from kubemini.study import failures
from kubemini.study.elections import Setting, Trial, failover
from kubemini.study.slowmotion import slow_motion
from kubemini.view import lanes as swimlanes
from kubemini.view.scene import present

LONGEST = 900  # seconds a widget may ask for
LONGEST_LINE = 2000  # letters of a kubectl line
MOST = 200  # elections in one answer: a reader waits for the next few, not for all


@collector_paused()
def handle(message: dict[str, Any]) -> dict[str, Any]:
    """Answer one message of a widget; never raises for what a reader can do."""
    if not isinstance(message, dict):
        return {"op": "error", "id": None, "error": f"expected a map with op and id, got {shown(message)}"}
    id, op = message.get("id"), message.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        return {"op": "error", "id": id, "error": f"the simulator knows {', '.join(OPERATIONS)}, not {shown(op)}"}
    try:
        return {"id": id} | OPERATIONS[op](message)
    except (ValueError, Runaway) as error:
        return {"op": "error", "id": id, "error": str(error)}


def simulate(message: dict[str, Any]) -> dict[str, Any]:
    """One run, as a recording."""
    spec = message.get("spec") or {}
    if not isinstance(spec, dict):
        raise ValueError(f"spec: expected a map with scenario, seed, commands, until, params; got {shown(spec)}")
    until = spec.get("until")
    if until is not None and duration(until) > LONGEST * SECOND:
        raise ValueError(f"a widget simulates up to {LONGEST} s; ask for less")
    trace = run(
        spec.get("scenario", ""), spec.get("seed"), spec.get("commands") or (), until, params=spec.get("params")
    )
    picture = message.get("picture", "")
    return {"op": "trace", "run": present(trace, picture if isinstance(picture, str) else "")}


def elections(message: dict[str, Any]) -> dict[str, Any]:
    """Some elections: of a whole etcd if there is a scenario, else of the paper's five servers."""
    first, end = _pair(message, "seeds", "two whole numbers", is_whole)
    if not 0 < end - first <= MOST:
        raise ValueError(f"ask for 1 to {MOST} elections at a time, not for {shown(end - first)}")
    if "scenario" in message:
        scenario = with_params(load(message["scenario"]), message.get("params") or {})
        return {"op": "elections", "times": [failover(scenario, seed) for seed in range(first, end)]}
    low, high = _pair(message, "timeout", "two numbers of milliseconds", _is_number)
    if not 1 <= low <= high <= 10_000:
        raise ValueError(f"a timeout is drawn from at least 1 ms up to at most 10000 ms, not from {low:g}-{high:g} ms")
    times = (Trial(Setting((low, high)), seed).run() for seed in range(first, end))
    return {"op": "elections", "times": [round(time, 3) if time < float("inf") else None for time in times]}


def request(message: dict[str, Any]) -> dict[str, Any]:
    """One request to the API server of the shop, stage by stage."""
    asked = message.get("asked")
    if not isinstance(asked, dict):
        raise ValueError(f"asked: expected a map with user, method, path, hook, body; got {shown(asked)}")
    return {"op": "request", "walk": broken.ask(asked).data()}


def stopwatch(message: dict[str, Any]) -> dict[str, Any]:
    """A node that fails, and what becomes of its pods when."""
    timers = message.get("timers") or {}
    if not isinstance(timers, dict) or not all(map(_is_number, timers.values())):
        raise ValueError(f"timers: expected a map from names to seconds, got {shown(timers)}")
    written = {str(name): failures.written(str(name), value) for name, value in timers.items()}
    fault, back = message.get("fault", "crash"), message.get("back", failures.BACKS[-1])
    return {"op": "stopwatch", "watch": failures.stopwatch(fault, back, message.get("seed"), **written).data()}


def lanes(message: dict[str, Any]) -> dict[str, Any]:
    """One kubectl line in slow motion, with all programs or without one."""
    line, without = message.get("line"), message.get("without") or ""
    if not isinstance(line, str) or not isinstance(without, str) or len(line) > LONGEST_LINE:
        raise ValueError(f"line: expected what follows kubectl, such as get pods, got {shown(line)}")
    return {"op": "lanes", "lanes": swimlanes.shown(slow_motion(line, without=without))}


def placement(message: dict[str, Any]) -> dict[str, Any]:
    """Where a pod of a small cluster goes, and why, after what a reader did to it."""
    asked = message.get("asked")
    if not isinstance(asked, dict):
        raise ValueError(f"asked: expected a map with case, deeds, pod; got {shown(asked)}")
    return {"op": "placement", "state": cases.answer(asked)}


def _pair(message: dict[str, Any], name: str, expected: str, fits: Callable[[Any], bool]) -> tuple[Any, Any]:
    """The two values of a field. Raises ValueError."""
    found = message.get(name)
    if not isinstance(found, list | tuple) or len(found) != 2 or not all(map(fits, found)):
        raise ValueError(f"{name}: expected {expected}, got {shown(found)}")
    return found[0], found[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**9


OPERATIONS = {
    "simulate": simulate,
    "elections": elections,
    "request": request,
    "stopwatch": stopwatch,
    "lanes": lanes,
    "placement": placement,
}
