"""The message handler behind every widget: the same in a Jupyter kernel and in the browser's worker.

{"op": "simulate", "id": 1, "spec": {"scenario", "seed", "commands", "until"}}
  -> {"op": "trace", "id": 1, "run": …}      see `kubemini.view.scene.present`
  -> {"op": "error", "id": 1, "error": one clear sentence}
"""

from typing import Any

from kubemini.run import Runaway, run
from kubemini.view.scene import present

LONGEST = 900  # seconds a widget may ask for


def handle(message: dict[str, Any]) -> dict[str, Any]:
    """Answer one message of a widget; never raises for what a reader can do."""
    id = message.get("id")
    if message.get("op") != "simulate":
        return {"op": "error", "id": id, "error": f"the simulator knows simulate, not {message.get('op')!r}"}
    spec = message.get("spec") or {}
    until = spec.get("until")
    if isinstance(until, int | float) and until > LONGEST:
        return {"op": "error", "id": id, "error": f"a widget simulates up to {LONGEST} s; ask for less"}
    try:
        trace = run(spec.get("scenario", ""), spec.get("seed"), spec.get("commands") or (), until)
    except (ValueError, Runaway) as error:
        return {"op": "error", "id": id, "error": str(error)}
    return {"op": "trace", "id": id, "run": present(trace)}
