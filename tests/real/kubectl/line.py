"""Our kubectl line beside the real kubectl: the same lines, what is printed, and the status.

    python -m tests.real.kubectl.line            at a real server and at ours, then both at one whole cluster of ours
    python -m tests.real.kubectl.line record     what the real one prints at a real server, into RECORDED

Made equal first, and nothing else, is what a server, or the clock, chose (twin.CHOSEN).
"""

import difflib
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from kubemini.api.timestamps import START
from kubemini.kubectlline import kubectl
from kubemini.serve import world
from kubemini.serve.tokens import read_tokens
from kubemini.users.decide.kubectl import reading
from kubemini.users.decide.kubectl.asking import Answer, Ask, Next, NoFile, Pause, ReadFile, Screen
from kubemini.users.decide.kubectl.discovery import Known
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.gotext import as_json
from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.real.api import lines
from tests.real.api.realserver import TOKENS, RealServer
from tests.real.api.twin import CHOSEN, twice
from tests.real.api.twin import KUBECTL as OF_PYPI
from tests.real.kubectl import morelines
from tests.serve.doors import LONG, Served

ROOT = Path(__file__).resolve().parents[3]
KUBECTL = Path(os.environ.get("KUBECTL", OF_PYPI))
RECORDED = ROOT / "tests/oracles/kubernetes/lines.json.gz"
RANGE = {"service_cluster_ip_range": "10.96.0.0/16"}
NOON = datetime(2026, 6, 1, 12)
WHOLE = Path(__file__).with_name("whole.yaml")
TYPED = [line for text in (lines.TYPED, morelines.MORE) for line in text.splitlines() if line]
LOOKED = [line for line in morelines.LOOKED.splitlines() if line]
LOOKS = 5  # at most, at a line of these
TOLERATED = lines.TOLERATED | morelines.TOLERATED
MORE_CHOSEN = (
    (r"(LIVE|MERGED)-\d+", r"\1"),
    (r"^((---|\+\+\+) \S+)\t.*", r"\1"),
    (r"https://apiserver-1:6443", "https://DOOR"),
    (r'("resourceVersion": ?)"\d+"', r"\1N"),
    (r"(Resource Version: +)\d+", r"\1N"),
)


def equal(text):
    """*text* without what a server, the clock, or the order of a Go map chose."""
    for pattern, label in (*CHOSEN, *MORE_CHOSEN):
        text = re.sub(pattern, label, text, flags=re.MULTILINE)
    return re.sub(r"(?<=due to error: \[)cannot delete .*(?=\])", _in_order, text)


def _in_order(reasons):
    return ", ".join(sorted(re.split(r", (?=cannot delete )", reasons[0])))


def given_to(line):
    """The line itself, and its standard input."""
    command, _, name = line.partition(" < ")
    return command, (getattr(morelines, name, "") or getattr(lines, name, "")) if name else ""


def real(config, home, line):
    """What the real kubectl prints: standard output, then error, then the status."""
    command, given = given_to(line)
    words = [str(KUBECTL), "--kubeconfig", str(config), *reading.split(command)[0]]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, input=given, capture_output=True, text=True, env=environment, timeout=LONG)
    return equal(f"{done.stdout}{done.stderr}status {done.returncode}")


class Ours:
    """Our line at a server without controllers and nodes, in this process."""

    def __init__(self, folder):
        tokens = folder / "tokens.csv"
        tokens.write_text(TOKENS)
        wanted = world.Wanted(api_only=True, params=RANGE, tokens=read_tokens(tokens))
        self.cluster = world.made(wanted, NOON)
        world.run_until_ready(self.cluster)
        self.cluster.terminal.token = "admintoken"

    def __call__(self, line):
        self.cluster.run("200ms")
        typed = kubectl(self.cluster, *given_to(line))
        return equal(f"{typed.out}{typed.err}status {typed.status}")


class AtDoor:
    """Our line at a door, by HTTP: another driver of the same generator."""

    def __init__(self, served):
        self.url, self.known = urlsplit(served.url), Known()
        self.context = ssl.create_default_context(cadata=served.ca)
        self.context.load_cert_chain(served.pair)

    def __call__(self, line):
        command, given = given_to(line)
        screen = Screen()
        state = Line(screen, self.known, self.url.geturl())
        steps, value, problem = reading.done(reading.split(command)[0], state), None, None
        while True:
            now = datetime.now(UTC).replace(tzinfo=None)
            screen.now = int((now - START).total_seconds() * 1_000_000)
            try:
                need = steps.throw(problem) if problem else steps.send(value)
            except StopIteration as end:
                return equal(f"{screen.text('out')}{screen.text('err')}status {end.value}")
            value, problem = None, None
            match need:
                case Ask():
                    value = self.ask(need)
                case Next():
                    event = need.watch.readline()
                    value = json.loads(event) if event else None
                case Pause():
                    raise AssertionError(f"{line}: nothing that only looks takes time")
                case ReadFile(name="-" | "/dev/stdin"):
                    value = given
                case ReadFile():
                    problem = NoFile(need.name, "no such file or directory")

    def ask(self, need):
        """The answer to one request."""
        connection = HTTPSConnection(self.url.hostname, self.url.port, timeout=LONG, context=self.context)
        target = need.path + (f"?{urlencode(need.query)}" if need.query else "")
        body = need.body if need.body is None or isinstance(need.body, str) else as_json(need.body)
        headers = {"Accept": need.accept} | ({"Content-Type": need.type} if body is not None else {})
        connection.request(need.method, target, body, headers)
        response = connection.getresponse()
        if ("watch", "true") in need.query and response.status == 200:
            return Answer(200, watch=response)
        return Answer(response.status, response.read())


def differing(wanted, got):
    """A unified diff of two texts, without its head."""
    return [*difflib.unified_diff(wanted.splitlines(), got.splitlines(), "real", "ours", lineterm="", n=0)][2:]


def untied(line, text):
    """*text*; of ``events`` in one order: kubectl's sort is not stable, and many events carry the same second."""
    return "\n".join(sorted(text.splitlines())) if line.split()[0] == "events" else text


def recorded():
    """Line → what the real kubectl printed, in order."""
    return json.loads(gzip.decompress(RECORDED.read_bytes()))


def record():
    """What the real kubectl prints at the real server, of every line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with RealServer(program("kubernetes"), folder) as server:
            real(server.kubeconfig, folder, "wait svc/kubernetes --for=create --timeout=60s")
            return [[line, real(server.kubeconfig, folder, line)] for line in TYPED]


def looked():
    """Line, what the real kubectl prints, what ours does: both at one cluster of ours."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Served(folder, str(WHOLE), "--workers", "2", "--speed", "20") as served:
            ours, config = AtDoor(served), served.kubeconfig
            settled = "wait deploy/web --for=create --for=condition=Available --timeout=60s"
            said = real(config, folder, settled)
            assert said.endswith("status 0"), said
            for line in LOOKED:
                for _ in range(LOOKS):  # the cluster goes on between the two
                    wanted, got = untied(line, real(config, folder, line)), untied(line, ours(line))
                    if wanted == got:
                        break
                yield line, wanted, got


def compared():
    """(line, what differs) of all lines."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(Path(folder))
        found = [(line, wanted, ours(line)) for line, wanted in record()]
    return [(line, differing(wanted, got)) for line, wanted, got in [*found, *looked()]]


def main(words):
    """Record, or compare and say; the exit status."""
    if words == ["record"]:
        data = json.dumps(record(), ensure_ascii=False, indent=0).encode()
        RECORDED.write_bytes(gzip.compress(data, mtime=0))
        print(f"{len(TYPED)} lines recorded")
        return 0
    counts = {"alike": 0, "tolerated": 0, "different": 0}
    for line, difference in twice(compared, TOLERATED):
        why = TOLERATED.get(line, "")
        counts["alike" if not difference else "tolerated" if why else "different"] += 1
        if difference:
            print(f"kubectl {line}" + (f" (tolerated: {why})" if why else ""))
            print("\n".join(f"    {one}" for one in difference[:8]), flush=True)
    print("our line: " + ", ".join(f"{count} {fate}" for fate, count in counts.items()))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Missing, Failed) as error:
        sys.exit(str(error))
