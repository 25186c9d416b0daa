"""One trial on the real cluster, from an empty room to a record: ``python -m tests.oracles.ha.real.run NAME FILE``.

The client starts 4 s before the fault and ends at the trial's time; the fault is taken back after its hold. The record
has the form of the recorded trials (so that compare.py reads it), what the strips show by the second, the versions and
the load of the machine. `record` is for who is outside; this file starts itself again in a room.
"""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.oracles.build import program
from tests.oracles.ha.real import fates, hosts, room, trials
from tests.oracles.ha.real.asking import ask, until
from tests.oracles.ha.real.programs import CONTROL, DOOR, KUBECONFIG, LEASES, Cluster
from tests.oracles.ha.real.strips import strips
from tests.oracles.ha.real.watcher import Watcher

BEFORE, STICKY, EVERY = 4, 3, 0.5
PATIENCE = 65  # s, of the client: so that the server's own limits show
SPACE = "/api/v1/namespaces/trial"
SEED = {"metadata": {"name": "seed", "labels": {"seed": "yes"}}}
SETTLE = 4  # s after the last program is up
LOOKED = 3  # s before the client: everything has been looked at once
KUBECTL_AT = 6  # s after the fault
KUBECTL = ("create cm probe-1 -n default", "get cm -n default", "get --raw /readyz?verbose")
STATES = {trials.KILL: "gone", trials.HANG: "hung", trials.TERM: "stopping"}


class Broken(Exception):
    """A trial could not be run; the message says why."""


def record(name):
    """The record of a trial, run in a room of its own. Raises Missing, Unfit and Broken."""
    program("kubernetes")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        if room.enter("tests.oracles.ha.real.run", name, path) or not path.exists():
            raise Broken(f"the trial {name} ended before its record was written: see above")
        return json.loads(path.read_text())


def written(record, path):
    """Keep *record* in *path*, compressed, with the same bytes for the same record."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())


# -- in the room -------------------------------------------------------------------------------------------------------
def run(name):
    """Put the cluster up, run the trial, and return its record."""
    topology, trial = trials.NAMED[name]
    cluster = Cluster(program("kubernetes"), topology, trial.balancers, trial.check)
    cluster.up()
    ready(cluster)
    try:
        return Run(name, cluster, trial).record()
    finally:
        cluster.down()


def ready(cluster):
    """The client's namespace and its first object, then a quiet moment."""
    ask(hosts.ADDRESSES["h1"], "/api/v1/namespaces", "POST", {"metadata": {"name": "trial"}})
    first = (hosts.ADDRESSES["h1"], f"{SPACE}/configmaps", "POST", SEED)
    if not until(lambda: ask(*first)[0] in (201, 409), 60):
        raise Broken("the client's first object could not be made within a minute")
    if kubectl(cluster, "get cm -n default").returncode:  # it keeps what the server can do for the next ones
        raise Broken("kubectl cannot list configmaps before the trial")
    time.sleep(SETTLE)


def kubectl(cluster, words):
    """kubectl as an admin on the client's machine, through the balancer: the finished process."""
    place = cluster.folder("ctl")
    config = place / "admin.kubeconfig"
    if not config.exists():
        config.write_text(KUBECONFIG.format(server=DOOR, token="admintoken"))
    command = [cluster.binary, "kubectl", f"--kubeconfig={config}", "--cache-dir=cache", *words.split()]
    return subprocess.run([*hosts.on("ctl"), *command], cwd=place, capture_output=True, text=True, check=False)


class Run:
    """One run of *trial*."""

    def __init__(self, name, cluster, trial):
        self.name, self.cluster, self.trial = name, cluster, trial
        self.rows = cluster.folder("ctl") / "client.jsonl"
        self.kubectl, self.watcher, self.struck = [], None, 0.0
        self.leads = {"etcd": cluster.leader(), **{k: cluster.holder(lease) for k, lease in LEASES.items()}}
        self.hit = trials.hit(cluster, trial.role, self.leads)

    def record(self):
        """Run it."""
        trial, load = self.trial, os.getloadavg()[0]
        strike = trials.Strike(self.cluster, trial.how, self.hit)
        self.watcher = Watcher(self.cluster)
        time.sleep(LOOKED)
        client = self._client()
        time.sleep(BEFORE)
        self.struck = time.time()
        strike.begin()
        self._state(STATES.get(trial.how, "cut"))
        asking = self._kubectls() if trial.kubectl else []
        self._sleep_until(trial.hold)
        undone = time.time() - self.struck
        strike.end()
        self._state("up")
        self._sleep_until(trial.until)
        client.wait(timeout=PATIENCE + 30)
        for thread in asking:
            thread.join()
        return self._written([load, os.getloadavg()[0]], undone, self._existing(), self.watcher.end())

    def _client(self):
        command = [
            *(self.cluster.binary, "client", "-server", DOOR, "-token", "admintoken", "-namespace", "trial"),
            *("-timeout", f"{PATIENCE}s", "-sticky", str(STICKY), "-every", f"{round(EVERY * 1000)}ms"),
            *("-rate", str(self.trial.rate), "-for", f"{BEFORE + self.trial.until}s", "-out", str(self.rows)),
        ]
        with (self.cluster.folder("ctl") / "client.log").open("wb") as log:
            return subprocess.Popen([*hosts.on("ctl"), *command], stderr=log)

    def _state(self, value):
        for name in self.hit:
            self.watcher.note(f"strike {name}", value)

    def _sleep_until(self, second):
        time.sleep(max(0.0, self.struck + second - time.time()))

    def _existing(self):
        for host in CONTROL:
            code, said = ask(hosts.ADDRESSES[host], f"{SPACE}/configmaps", patience=60)
            if code == 200:
                return {item["metadata"]["name"] for item in said["items"]}
        raise Broken("after the trial no API server can say which objects there are")

    # -- kubectl -------------------------------------------------------------------------------------------------------
    def _kubectls(self):
        threads = [threading.Thread(target=self._asked, args=(words,)) for words in KUBECTL]
        for thread in threads:
            thread.start()
        return threads

    def _asked(self, words):
        self._sleep_until(min(KUBECTL_AT, self.trial.hold / 2))
        since = time.time()
        done = kubectl(self.cluster, words)
        took = round(time.time() - since, 2)
        told = {"command": f"kubectl {words}", "took_s": took, "exit": done.returncode}
        said = {"out": fates.general(done.stdout), "err": fates.general(done.stderr)}
        self.kubectl.append({**told, **said, "begun_s": round(since - self.struck, 1)})

    # -- the record ----------------------------------------------------------------------------------------------------
    def _written(self, load, undone, existing, changes):
        trial, window = self.trial, (-BEFORE, self.trial.until)
        counted = (-1, trial.until)
        requests, heard = fates.read(self.rows)
        told = {
            "name": self.name,
            "topology": self.cluster.topology,
            "trial": trial.name.partition("_check-")[0],
            "target": {"role": trial.role, "how": trial.how, "hit": self.hit, "leads_before": self.leads},
            "loadavg_1m": [round(one, 1) for one in load],
            "hold_s": trial.hold,
            "undone_s": round(undone, 2),
            "rate_per_s": _rates(trial.rate),
            "window_s": {"client": list(window), "counted": list(counted)},
            "date": time.strftime("%Y-%m-%d", time.gmtime(self.struck)),
            "versions": versions(self.cluster.binary),
            "client": fates.told(requests, self.struck, counted, existing),
            "events": self._events(changes),
            "strips": strips(self.cluster, requests, changes, self.struck, window),
            "informer": {"lists_s": [round(r["t"] - self.struck, 2) for r in heard if r["k"] == "watch-replace"]},
        }
        if trial.check != "kubeadm":
            told["balancer_check"] = trial.check
        if self.kubectl:
            told["kubectl"] = sorted(self.kubectl, key=lambda asked: asked["command"])
        if trial.balancers == 2:
            told["more"] = {"virtual_address_held_by": self._held(changes)}
        return told

    def _events(self, changes):
        kept = ((at - self.struck, what, value) for at, what, value in changes)
        ours = ("holder ", "strike ", "address")
        return [[round(at, 2), *told] for at, *told in kept if at >= -3 and not told[0].startswith(ours)]

    def _held(self, changes):
        held = [(at - self.struck, value.split()) for at, what, value in changes if what == "address"]
        return [[round(max(at, 0), 2), who] for at, who in held]


def _rates(fresh):
    kinds = {"fresh-read": fresh, "fresh-write": fresh, "fresh-list": fresh / 2, "fresh-rv0": fresh / 2}
    sticky = (f"sticky{n}-{what}" for n in range(STICKY) for what in ("read", "write"))
    return {**kinds, **{kind: round(1 / EVERY) for kind in sticky}}


def versions(binary):
    """What was measured: name → version."""
    said = {
        "kubernetes": hosts.run(str(binary), "kube-apiserver", "--version"),
        "etcd": hosts.run(str(binary), "etcd", "--version"),
        "haproxy": hosts.run("haproxy", "-v"),
        "keepalived": subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=True).stderr,
    }
    return {name: re.search(r"\d+\.\d+\.\d+", text)[0] for name, text in said.items()}


def main(name, path):
    """In a room: run the trial *name* and write its record to *path*."""
    room.furnish()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    Path(path).write_text(json.dumps(run(name), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
