"""Runs that several tests look at: a run is a value, so each is simulated once, for all processes and the next time.

What was simulated is kept in its own serialised form, under a digest of kubemini's sources: with other sources it is
simulated anew. For tests that look at the trace of a run; whoever changes the simulator meanwhile calls `simulate.run`.
"""

import hashlib
import json
import os
import shutil
from functools import cache
from pathlib import Path

from kubemini.sim import Trace
from kubemini.simulate import run

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "_build" / "runs"


@cache
def _folder() -> Path:
    """Where runs of these sources are; those of others are forgotten."""
    known = hashlib.sha256()
    for path in sorted((ROOT / "kubemini").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and "static" not in path.parts:
            known.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    folder = KEPT / known.hexdigest()[:16]
    for other in set(KEPT.glob("*")) - {folder}:
        shutil.rmtree(other, ignore_errors=True)
    return folder


@cache
def run_once(name: str, seed: int | None = None, commands: tuple = (), until: str | float | None = None) -> Trace:
    """The trace of a scenario that comes with kubemini, as `simulate.run` tells it; shared, so not to be changed."""
    asked = json.dumps([name, seed, commands, until])
    path = _folder() / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}.jsonl"
    try:
        return Trace.from_jsonl(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        trace = run(name, seed, commands, until)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(f".{os.getpid()}")
    written.write_text(trace.to_jsonl(), encoding="utf-8")
    os.replace(written, path)
    return trace
