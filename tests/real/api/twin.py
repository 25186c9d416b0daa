"""The same lines of kubectl at the real server and at ours: the same is printed, and the same is the status.

    python -m tests.real.api.twin            each line whose output differs, and how many are alike

Dates, ages, uids, versions, addresses and ports that a server chose are made equal first, and nothing else.
"""

import difflib
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import KUBECONFIG, Failed
from tests.real.api import lines
from tests.real.api.realserver import RealServer
from tests.serve.doors import LONG, Served

KUBECTL = Path(__file__).resolve().parents[3] / ".venv/bin/kubectl"
RANGE = "service_cluster_ip_range=10.96.0.0/16"
CHOSEN = (  # what a server, or the clock, chose
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]+ \+0000", "TIME"),
    (r'resourceVersion: "\d+"', "resourceVersion: N"),
    (r"kube-api-access-\w{5}\b", "kube-api-access-NAME"),
    (r"\b10\.96\.\d+\.\d+\b", "ADDRESS"),
    (r"\b3[0-2]\d{3}\b", "PORT"),
    (r"127\.0\.0\.1:\d+", "DOOR"),
    (r"\b(\d+[dhms])+( ago)?\b", "AGE"),
    (r" {2,}", "  "),
    # the repair of cluster IPs may look between a Service's two writes, and says so
    (r"Events:\n(.*\n){2}  Warning  ClusterIPNotAllocated  .*\n", "Events:  <none>\n"),
)


def said(config, home, line):
    """What kubectl prints of *line* at the server of a kubeconfig, and its status."""
    command, _, given = line.partition(" < ")
    words = [str(KUBECTL), "--kubeconfig", str(config), *shlex.split(command)]
    done = subprocess.run(
        words,
        input=getattr(lines, given) if given else "",
        capture_output=True,
        text=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        timeout=LONG,
    )
    text = f"{done.stdout}{done.stderr}status {done.returncode}"
    for pattern, label in CHOSEN:
        text = re.sub(pattern, label, text)
    return text.splitlines()


def differences(folder):
    """Line → what differs, as a unified diff; empty if nothing does."""
    for name in ("real", "ours"):
        (folder / name).mkdir()
    with (
        RealServer(program("kubernetes"), folder / "real") as real,
        Served(folder / "ours", "--api-only", "--param", RANGE, tokens=real.tokens) as ours,
    ):
        config = folder / "ours" / "as-admin"
        config.write_text(KUBECONFIG.format(server=ours.url, token="admintoken"))
        for line in filter(None, lines.TYPED.splitlines()):
            wanted, got = (
                said(*where, line) for where in ((real.kubeconfig, folder / "real"), (config, folder / "ours"))
            )
            yield line, [*difflib.unified_diff(wanted, got, "real", "ours", lineterm="", n=0)][2:]


def typed():
    """The same, at two new servers."""
    with tempfile.TemporaryDirectory() as folder:
        return [*differences(Path(folder))]


def twice(run, tolerated):
    """(line, what differs) as *run()* finds them; if one is not tolerated, of two runs what differs in both.

    What a busy machine made, a line that came too late, does not come again.
    """
    found = run()
    if not [line for line, difference in found if difference and line not in tolerated]:
        return found
    again = {line for line, difference in run() if difference}
    for line, difference in found:
        if difference and line not in again:
            print(f"kubectl {line}: not the same once, and the same when all was typed again", flush=True)
    return [(line, difference if line in again else []) for line, difference in found]


def main():
    """Print them; the exit status."""
    counts = {"alike": 0, "tolerated": 0, "different": 0}
    for line, found in twice(typed, lines.TOLERATED):
        why = lines.TOLERATED.get(line, "")
        counts["alike" if not found else "tolerated" if why else "different"] += 1
        if found:
            print(f"kubectl {line}" + (f" (tolerated: {why})" if why else ""))
            print("\n".join(f"    {one}" for one in found[:6]), flush=True)
    print(", ".join(f"{count} {fate}" for fate, count in counts.items()))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Missing, Failed) as error:
        sys.exit(str(error))
