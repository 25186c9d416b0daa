"""Recorded lives, played step by step on a node of ours, and judged by the compare.py that lies beside them.

A recording is a list of steps (create, delete, until, sleep, a plain API call, kubectl, a hook). Two watches, of Pods
and of Events, write down what happens meanwhile; `seen.check` makes of it what the recording calls ``check``.
"""

import importlib.util
import json
import re
from functools import cache, partial
from pathlib import Path

from kubemini.users.decide.kubectl.asking import Visit
from kubemini.users.decide.kubectl.verbs.forward import asked
from kubemini.users.terminal import INTERRUPTED
from tests.oracles.kubelet.node import NODE, Node
from tests.oracles.kubelet.seen import Seen, blank, check, placed

JUDGE = "compare.py"
WATCHED = {"pods": "/api/v1/namespaces/{}/pods?watch=1", "events": "/api/v1/namespaces/{}/events?watch=1"}
AGENT = "recorder"
LATE = ("kill-container", "kill-sandbox")  # a process had to be found first, by way of its container's runtime
LOOK = 0.1  # seconds between two looks of an `until`
PLURALS = {"PriorityClass": "priorityclasses", "RuntimeClass": "runtimeclasses"}
GLOBAL = ("PriorityClass", "RuntimeClass")
DRAWS = 20
EMPTY = 52  # of curl: nothing came back
KUBECTL = 0.3  # seconds that it takes until it asks


def cases(path, data):
    """(name, how to run it) of the life in a file, if it holds one."""
    if isinstance(data, dict) and {"steps", "history", "check", "about"} <= set(data) and "pods" in data["check"]:
        if (Path(path).resolve().parent / JUDGE).exists():
            yield f"kubelet/{data['name']}", partial(differences, path, data)


def differences(path, data):
    """What compare.py finds: one line a difference.

    How long a start takes, by how much a back-off is stretched, where in its period a probe first asks: all that is
    chance on the real node too. A recorded life is one draw, and ours differs if none of a few draws is it.
    """
    tried = []
    for seed in range(1, 1 + DRAWS):
        tried.append(lived(path, data, seed))
        if not tried[-1]:
            break
    return min(tried, key=len)


def lived(path, data, seed):
    """The differences of one draw."""
    judge = judge_of(Path(path).resolve().parent / JUDGE)
    beside = any(str(step.get("hook")).startswith("hollow") for step in data["steps"])
    player = Player(data["name"], "node" in data, seed, beside)
    ends = [step["t"] for step in data["steps"][1:]] + [0]
    wrong = [found for step, end in zip(data["steps"], ends, strict=True) for found in player.play(step, end)]
    player.linger()
    out = []
    judge.walk(
        blank(data["check"]), blank(check(player.seen)), "", [one["at"] for one in data.get("unstable", [])], out
    )
    return wrong + [f"{at}: wanted {_short(want)}, got {_short(got)}" for at, want, got in out]


@cache
def judge_of(file):
    """The compare.py beside a recording, as a module."""
    spec = importlib.util.spec_from_file_location("kubelet_judge", file)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    return judge


def _of_klog(text):
    """*text* without when and by whom a line of klog was written, and without the name of a network namespace."""
    text = re.sub(r"uid : (?:[^,:]|\\\"[^\"]*\")*:", "uid : <n>:", text)
    return re.sub(r"^E\d{4} .*? portforward\.go", "E<time> <n> portforward.go", text)


def _short(value):
    return json.dumps(value)[:300]


class Player:
    """One life on a node of its own."""

    def __init__(self, name, of_node, seed=1, beside=False):
        self.awaited, self.held = "any([])", False  # of an `until`: what it waits for, and whether it ever held
        self.namespace, self.world, self.seen = name, Node(seed, beside), Seen()
        self.ask({"method": "POST", "path": "/api/v1/namespaces", "body": {"metadata": {"name": name}}})
        self.world.sleep(1)
        self.streams = {kind: self._watch(path.format(name)) for kind, path in WATCHED.items()}
        if of_node:
            self.streams["node"] = self._watch("/api/v1/namespaces/default/events?watch=1")
            self._drain(self.streams["node"])  # what was before

    def _watch(self, path):
        return self.world.send({"path": path}, AGENT).body

    def play(self, step, end):
        """Do one step; what of its answer differs. *end*: when the recorder went on to the next, s."""
        self.look()
        if "create" in step:
            return self._create(step)
        if "delete" in step:
            return self._delete(step)
        if "until" in step:
            return self._until(step)
        if "path" in step:
            return self._call(step)
        if "sleep" in step:
            self._pass(step["sleep"])
        elif "kubectl" in step:
            return self._kubectl(step)
        elif step.get("hook") == "port-forward":
            got, wanted = self._forward(step["does"]), [blank(_of_klog(one)) for one in step["out"]]
            return [] if got == wanted else [f"port-forward: wanted {_short(wanted)}, got {_short(got)}"]
        elif "hook" in step:
            if step["hook"] in LATE:
                self._pass(max(0, end - step["t"]))
            self.world.hook(step, self.namespace)
        return []

    # -- steps -----------------------------------------------------------------------------------------------------
    def ask(self, request):
        """The answer to one request."""
        return self.world.send(request, AGENT)

    def _create(self, step):
        body = step["create"]
        kind, version = body["kind"], body["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        where = "" if kind in GLOBAL else f"/namespaces/{self.namespace}"
        plural = PLURALS.get(kind, f"{kind.lower()}s")
        answer = self.ask({"method": "POST", "path": f"{root}{where}/{plural}", "body": body})
        return self._coded(step, "create", answer)

    def _delete(self, step):
        path = f"/api/v1/namespaces/{self.namespace}/pods/{step['delete']}"
        if "grace" in step:
            path += f"?gracePeriodSeconds={step['grace']}"
        return self._coded(step, "delete", self.ask({"method": "DELETE", "path": path}))

    def _call(self, step):
        request = {"method": step["method"], "path": step["path"]}
        if "body" in step:
            request["body"] = step["body"]
        if "contentType" in step:
            request["headers"] = {"Content-Type": step["contentType"]}
        return self._coded(step, f"{step['method']} {step['path']}", self.ask(request))

    def _coded(self, step, what, answer):
        if answer.status == step["code"]:
            return []
        return [f"{what}: wanted code {step['code']}, got {answer.status}: {self.world.whole(answer)[:300]}"]

    def _until(self, step):
        """Wait for an expression; give up long after the real one had it."""
        end = self.world.clock() + 2 * step["took"] + 60
        self.awaited, self.held = step["until"], False
        while not (self.held or self.seen.holds(step["until"])):
            if self.world.clock() > end:
                return [f"until {step['until']}: did not come to be"]
            self._pass(LOOK)
        return []

    def _kubectl(self, step):
        self._pass(KUBECTL)
        line = " ".join(f"'{word}'" for word in step["kubectl"])
        typed = self.world.cluster.terminal.type(f"-n {self.namespace} {line}")
        end = self.world.clock() + 60
        while not typed.over and self.world.clock() < end:
            self._pass(LOOK)
        got = {"exit": typed.status, "out": typed.out.splitlines()}
        wanted = {key: step[key] for key in got}
        return [] if got == wanted else [f"kubectl {line}: wanted {_short(wanted)}, got {_short(got)}"]

    def _forward(self, does):
        """What one GET through ``kubectl port-forward p :PORT`` brings, and what kubectl prints."""
        port, path = re.search(r":(\d+)", does)[1], (re.search(r"GET (/\S*)", does) or ["", "/"])[1]
        typed = self.world.cluster.terminal.type(f"-n {self.namespace} port-forward p :{port}")
        self._pass(1.5)
        local = re.search(r"127\.0\.0\.1:(\d+)", typed.out)
        visit = Visit(int(local[1]), asked(path))
        typed.visit(visit)
        self._pass(2)
        body = bytes(visit.out).partition(b"\r\n\r\n")[2].decode()
        typed.interrupt()
        ended = 143 if typed.status == INTERRUPTED else typed.status
        said = [*body.splitlines(), f"curl exit {0 if visit.out else EMPTY}", f"port-forward exit {ended}"]
        printed = "\n".join([*typed.out.splitlines(), *typed.err.splitlines()]).replace(local[1], "<port>")
        return [blank(placed(_of_klog(one), {})) for one in (*said, *printed.splitlines())]

    def linger(self):
        """The recorder read its watches for one second more."""
        self._pass(1)

    def _pass(self, seconds):
        """Let time pass, and see what happens."""
        while seconds > 0:
            self.world.sleep(min(seconds, 1))
            seconds -= 1
            self.look()

    def look(self):
        """Read what the watches have said."""
        for kind, stream in self.streams.items():
            for event in self._drain(stream):
                if kind == "pods":
                    self.seen.pod(event)
                    self.held = self.held or self.seen.holds(self.awaited)
                elif kind == "events" or event["object"]["involvedObject"]["name"] == NODE:
                    self.seen.event(event)

    @staticmethod
    def _drain(stream):
        found = []
        while (data := stream.read()) is not None:
            found.append(json.loads(data))
        assert not stream.ended, "a watch of the player was ended"
        return found
