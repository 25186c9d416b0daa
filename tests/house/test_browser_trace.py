"""The simulator in the browser's Python (Pyodide, wasm32) writes the same bytes as CPython."""

import json
import subprocess
from pathlib import Path

import pytest

from kubemini.scenarios import load, names
from kubemini.simulate import run

ROOT = Path(__file__).parent.parent.parent


def ways_to_run():
    """Every scenario of the book as it is; and one half of them quiescent, the other with a reader's crash."""
    for number, name in enumerate(names()):
        yield {"scenario": name}
        if number % 2:
            yield {"scenario": name, "fidelity": "quiescent"}
        else:
            crash = [15.5, "crash", load(name).topology.members[0]]
            yield {"scenario": name, "seed": 12, "commands": [crash], "until": 40}


@pytest.mark.needs("node", "npm", "live-book")
def test_every_scenario_gives_the_same_bytes_in_pyodide():
    runs = list(ways_to_run())
    done = subprocess.run(
        ["node", str(ROOT / "kubemini" / "bench" / "pyodide.mjs")],
        input=json.dumps({"digests": runs}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout)["digests"]
    assert theirs == [run(**arguments).digest() for arguments in runs]
