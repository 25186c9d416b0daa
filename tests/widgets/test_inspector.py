"""What the cluster map's inspector says of programs of the network, and where it puts pods; in a browser: browser/."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubemini import run
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.view.scene import present
from kubemini.widgets import modules
from kubemini.widgets.modules import STATIC
from tests.widgets.test_static import in_node

pytestmark = pytest.mark.needs("node")
AGENT = "kube-network-policies@worker-1"
WIDE = 6.1  # px of a letter of an address, at most: that of a digit, at 10.5 px
LETTER = "globalThis.document = {createElement: () => ({getContext: () => null})};\n"  # no canvas: 6.8 px at 12 px
SAID = """
const [run, when, pick] = JSON.parse(require("fs").readFileSync(0, "utf8")), past = new km_history.History(run);
console.log(JSON.stringify(when.map((s) => {
  const st = past.at(s * 1e6), pods = Object.values(st.pods).flatMap((on) => Object.keys(on));
  const chosen = pods.find((name) => name.startsWith(pick)) || pick;
  return km_describe.describe(chosen, st, s * 1e6, past).filter(Boolean).join("; ");
})));
"""
SEATED = """
const [run, narrow] = JSON.parse(require("fs").readFileSync(0, "utf8")), past = new km_history.History(run);
const places = new km_places.Places(past, narrow), pods = Object.entries(places.pods);
console.log(JSON.stringify(pods.map(([host, on]) => Object.keys(on).map((pod) => places.podAt(host, pod)))));
"""


def is_controller(detail: dict[str, Any]) -> bool:
    return detail["name"].startswith("ingress-controller-")


def said(trace: Trace, pick: str, when: list[float], folder: Path) -> list[str]:
    """What the inspector says of *pick*, or of the pod whose name begins so, at these seconds."""
    script = modules.bundle(STATIC / "frame" / "frame.js") + SAID
    return json.loads(in_node(script, json.dumps([present(trace), when, pick]), folder))


def test_the_agent_of_policies_says_what_its_host_judges_by(tmp_path: Path) -> None:
    trace = run("policy", until=35, commands=[["30s", "crash", AGENT]])
    before, after, dead = said(trace, AGENT, [15, 25, 32], tmp_path)
    assert "knows no policy: every connection may begin" in before
    assert "the pods of worker-1, by default/deny-all" in after
    assert "Nobody judges on worker-1 now" in dead and "deny-all" not in dead


def test_the_pod_of_an_ingress_controller_says_what_its_proxy_serves_by(tmp_path: Path) -> None:
    trace = run("ingress", until=55)
    runs = next(pod.at for pod in trace.of("pod") if is_controller(pod.detail) and pod.detail["state"] == "running")
    early, served, empty = said(trace, "ingress-controller-", [runs / SECOND, 30, 50], tmp_path)
    assert "its proxy serves nothing yet" in early
    assert "shop.example/ → web; 2 endpoints at its last sync" in served and "503" not in served
    assert "0 endpoints at its last sync: 503" in empty


@pytest.mark.parametrize("narrow", [True, False])
def test_no_address_of_a_pod_touches_the_next(narrow: bool, tmp_path: Path) -> None:
    trace = run("podnetwork", until=50)
    longest = max(len(record.detail.get("ip") or "") for record in trace.of("pod"))
    assert longest == len("10.244.0.10")
    script = LETTER + modules.bundle(STATIC / "map" / "places.js") + modules.wrapped(STATIC / "history.js") + SEATED
    for host in json.loads(in_node(script, json.dumps([present(trace), narrow]), tmp_path)):
        seats = sorted(seat for seat in host if seat)
        same_row = [b[0] - a[0] for a in seats for b in seats if a[1] == b[1] and b[0] > a[0]]
        assert seats and min(same_row) > longest * WIDE
