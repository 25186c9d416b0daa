"""The simulator in the browser's Python (Pyodide, wasm32) writes the same bytes as CPython."""

import json
import subprocess
from pathlib import Path

import pytest

from kubemini.scenarios import load, names
from kubemini.simulate import run

ROOT = Path(__file__).parent.parent.parent


def ways_to_run(every):
    """Every scenario of the book as it is, quiescent, and with a reader's crash; or by turns in one of these ways."""
    for number, name in enumerate(names()):
        crash = [15.5, "crash", load(name).topology.members[0]]
        ways = [{}, {"fidelity": "quiescent"}, {"seed": 12, "commands": [crash], "until": 40}]
        for way in ways if every else ways[number % 3 :][:1]:
            yield {"scenario": name, **way}


@pytest.mark.needs("node", "npm", "live-book")
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["by turns", "every way"])
def test_every_scenario_gives_the_same_bytes_in_pyodide(every):
    runs = list(ways_to_run(every))
    done = subprocess.run(
        ["node", str(ROOT / "kubemini" / "bench" / "pyodide.mjs")],
        input=json.dumps({"digests": runs}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout)["digests"]
    assert theirs == [run(**arguments).digest() for arguments in runs]
