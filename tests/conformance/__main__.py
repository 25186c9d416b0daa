"""Run Kubernetes' conformance tests against `kubemini serve`, one by one.

    python -m tests.conformance                               those that pass on the real control plane
    python -m tests.conformance --all                         all 457
    python -m tests.conformance --known                       those that have passed here
    python -m tests.conformance --area auth --area cli        of these areas
    python -m tests.conformance --match "ConfigMap.*volume"   whose names match
    python -m tests.conformance --kubeconfig FILE             against a cluster that is there already

One line a test, and at the end how many pass, by area; `build/conformance.json` keeps the verdicts. A server that does
not answer any more is started anew. 1 if one fails that is expected to pass (expected.txt).
"""

import argparse
import gzip
import hashlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracles import build

HERE = Path(__file__).parent
SUITE, RESULTS, EXPECTED = HERE / "suite", build.ROOT / "build" / "conformance.json", HERE / "expected.txt"
PATIENCE = 420  # seconds for one test; a quota is looked at again after 300
READY = 60


class Test(NamedTuple):
    """One of them. *real*: whether it passes on the real control plane, over hollow nodes."""

    name: str
    area: str
    real: bool
    seconds: int

    @property
    def focus(self) -> str:
        """A regular expression that finds it alone."""
        return re.escape(self.name).replace("\\ ", " ")


def tests() -> list[Test]:
    """All of them."""
    return [Test(*row) for row in json.loads(gzip.decompress((HERE / "real.json.gz").read_bytes()))["tests"]]


def expected() -> set[str]:
    """The names of those that pass here."""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines() if EXPECTED.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def program() -> Path:
    """The test program, built if it is not there. Raises build.Missing."""
    digest = hashlib.sha256()
    for path in sorted(SUITE.iterdir()):
        digest.update(path.read_bytes())
    target = build.BUILT / f"conformance-{digest.hexdigest()[:16]}"
    if not target.exists():
        print("building the conformance tests; this takes a few minutes", flush=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        go = build.go((1, 26, 8))
        alike = ["-mod=readonly", "-buildvcs=false", *build.WITHOUT_DWARF]  # to the oracles, so most is built already
        made = [go, "test", "-c", "-vet=off", *alike, "-ldflags", "-s -w", "-o", str(target), "."]
        done = subprocess.run(made, cwd=SUITE, capture_output=True, text=True)
        if done.returncode:
            raise build.Missing(f"the conformance tests do not build: {done.stderr.strip()[-500:]}")
    return target


class Cluster:
    """`kubemini serve`, by its own pid; or one that is there already."""

    def __init__(self, folder: Path, kubeconfig: str):
        self.kubeconfig, self.own, self.log = kubeconfig, not kubeconfig, folder / "serve.log"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def ready(self) -> None:
        """Start it if it does not run, or does not answer any more."""
        if not self.own or self._answers():
            return
        self.stop()
        config = self.folder / "kubeconfig"
        config.unlink(missing_ok=True)
        command = [sys.executable, "-m", "kubemini", "serve", "--kubeconfig", str(config), "--workers", "3", "--dns"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + READY
        while not config.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise build.Missing(f"kubemini serve does not answer: {self.log.read_text()[-500:]}")
            time.sleep(0.1)
        self.kubeconfig = str(config)

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        address = re.search(r"https://([0-9.]+):([0-9]+)", Path(self.kubeconfig).read_text(encoding="utf-8"))
        assert address is not None, f"{self.kubeconfig} names no server"
        try:
            socket.create_connection((address[1], int(address[2])), 5).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


def run(program: Path, cluster: Cluster, test: Test) -> tuple[bool, float, str]:
    """(whether it passes, seconds, its last words if not)."""
    cluster.ready()
    command = [str(program), "-kubeconfig", cluster.kubeconfig, "-provider", "local"]
    command += ["-dump-logs-on-failure=false", "-ginkgo.no-color", "-ginkgo.focus", test.focus]
    begun = time.monotonic()
    try:
        done = subprocess.run(command, cwd=cluster.folder, capture_output=True, text=True, timeout=PATIENCE)
        said, passed = done.stdout + done.stderr, done.returncode == 0 and " 1 Passed" in done.stdout + done.stderr
    except subprocess.TimeoutExpired as error:
        said, passed = (error.stdout or b"").decode(errors="replace")[-2000:], False
    return passed, time.monotonic() - begun, "" if passed else _why(said)


def _why(said: str) -> str:
    """The line that tells what went wrong."""
    found = re.search(r"^\s+\[FAILED\] (?!in \[)(.+?)\n\s*In \[", said, re.DOTALL | re.MULTILINE)
    return " ".join((found[1] if found else said[-300:]).split())[:400]


def chosen(arguments: argparse.Namespace, known: set[str]) -> Iterator[Test]:
    """Those that are asked for; *known* have passed here."""
    for test in tests():
        if arguments.known and test.name not in known:
            continue
        if (test.real or arguments.all) and (not arguments.area or test.area.removeprefix("sig-") in arguments.area):
            if re.search(arguments.match, test.name):
                yield test


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("--all", action="store_true", help="also those that fail on the real one with hollow nodes")
    parser.add_argument("--known", action="store_true", help="only those that have passed here: expected.txt")
    parser.add_argument("--area", action="append", help="api-machinery, apps, auth, cli, network, node, storage, …")
    parser.add_argument("--match", default="", help="a regular expression that the name must match")
    parser.add_argument("--kubeconfig", default="", help="a cluster that is there already")
    arguments = parser.parse_args()
    known, verdicts = expected(), {}
    wanted = list(chosen(arguments, known))
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), arguments.kubeconfig)
        try:
            built = program()
            for number, test in enumerate(wanted, 1):
                passed, seconds, why = run(built, cluster, test)
                verdicts[test.name] = passed
                print(f"{number:3} {'pass' if passed else 'FAIL'} {seconds:5.1f} s {test.name} {why}", flush=True)
        except build.Missing as error:
            print(error)
            return 2
        finally:
            cluster.stop()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(verdicts, indent=1))
    count, passes = Counter(test.area for test in wanted), Counter(t.area for t in wanted if verdicts[t.name])
    print(", ".join(f"{area.removeprefix('sig-')} {passes[area]} of {count[area]}" for area in sorted(count)))
    lost = sorted(name for name in known if verdicts.get(name) is False)
    print(f"{sum(passes.values())} of {len(wanted)} pass" + "".join(f"\nfails, and did pass: {name}" for name in lost))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
