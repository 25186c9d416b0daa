"""A recorded history, step by step, on a cluster of ours: what is asked, who waits for what, and what was seen of it.

Steps keep the recorded times, as the real controllers had them to act in: step n begins no earlier than it did, and
not before nothing has moved for as long as the recorder waited for that. What a request's nulls were is read from what
became of the object: the recorder has written bodies down without them.
"""

import importlib.util
import json
import re
from functools import cache
from pathlib import Path

from kubemini.sim.units import MINUTE, MS, SECOND
from tests.oracles.histories import phases
from tests.oracles.histories.hand import Hand
from tests.oracles.histories.naming import Naming
from tests.oracles.histories.noting import ELSEWHERE, NAMESPACE, Notes
from tests.oracles.histories.world import World

LOOKS = 100 * MS  # how often who waits looks
SETTLED = 3 * SECOND  # until the namespace has its account and certificates
RESTLESS = 60 * SECOND  # so much longer than the real one one waits for quiet at most
MERGE = "application/merge-patch+json"
AGO = re.compile(r"(\d+) (second|minute|hour|day)s? back")
TAKEN = {("metadata",): ["finalizers"], ("spec",): ["unschedulable"]}  # by a patch that does not say what, of all
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
OWN_JUDGE = Path(__file__).with_name("compare.py")


def judge_of(path):
    """The compare.py in a folder above *path*, which is of histories if an until.py lies beside it; or our copy."""
    above = Path(path).resolve().parents
    found = [folder for folder in above if (folder / "compare.py").exists() and (folder / "until.py").exists()]
    return module(found[0] / "compare.py" if found else OWN_JUDGE)


@cache
def module(path):
    """The program at *path*, as a module."""
    spec = importlib.util.spec_from_file_location(f"histories_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def played(path, recorded, chance=0):
    """What became of the steps of *recorded*, in the form of a recording; *chance*: which draw of what is chance."""
    return Playing(judge_of(path), recorded, chance).run()


class Playing:
    """One history under way."""

    def __init__(self, judge, recorded, chance=0):
        self.recorded, self.judge = recorded, judge
        self.until = module(Path(judge.__file__).with_name("until.py"))
        self.world = World(recorded, seed=1 + chance)
        self.notes = Notes(self.world, judge.FIELDS)
        times, self.row = recorded["times"], chance % len(recorded["times"]["steps"])
        self.naming = Naming(judge, recorded, self.notes, self.row)
        self.hand = Hand(self.world, self.notes, self.naming, recorded)
        self.steps, self.answers = [], {}
        self.marked = 0
        self.begins = [round(t * SECOND) for t in (*times["steps"][self.row], times["end"][self.row])]

    def run(self):
        """Take all steps; returns what was seen."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.world.ask("POST", "/api/v1/namespaces", namespace)
        self.world.reach(self.world.sim.now + SETTLED)
        self._come_to_the_moment()
        self.start = self.world.sim.now
        for step in self.recorded["steps"]:
            self.world.reach(self.start + self.begins[step["n"] - 1])
            self.notes.step = step["n"]
            self.steps.append({"n": step["n"], **(self._take(step) or {})})
            self.notes.moved = self.world.sim.now
            self._settle(step)
        objects = {key: {"versions": versions} for key, versions in self.notes.versions.items()}
        got = {"objects": objects, "events": list(self.notes.events.values()), "steps": self.steps}
        return got | ({"answers": self._asked()} if "answers" in self.recorded else {})

    def _come_to_the_moment(self):
        """Let time pass until what comes round lies as it did for the recorder (phases.py)."""
        world, lost = self.world, phases.noticed(self.recorded, self.begins, self.row)
        met = lost[1] if lost else phases.met(self.recorded, self.begins)
        second = phases.second_of(self.recorded, self.begins)
        if second:
            world.reach(world.sim.now + phases.until_minute(world.sim.now, second))
        if self.recorded["area"] == "node" or met is not None:
            self.hand.neighbour()
            world.until(lambda: self.notes.elsewhere)
            if self.recorded["area"] != "node" or alone(self.recorded):
                world.ask("DELETE", f"/api/v1/nodes/{ELSEWHERE}")
        if not second and met is None:
            world.reach(-(-world.sim.now // SECOND) * SECOND + phases.FRACTION)
        if met is not None:
            rounds = world.cluster.params.node_monitor_period + world.cluster.params.node_monitor_work
            wait = phases.until_round(world.sim.now, self.notes.elsewhere, rounds, met)
            world.reach(world.sim.now + wait)
        self.hand.renew_at(world.sim.now + (phases.renewal(*lost) if lost else 0))

    # -- steps ---------------------------------------------------------------------------------------------------------
    def _take(self, step):
        """Do what *step* says; returns what came of it."""
        if "request" in step:
            return self._request(step)
        if "node" in step:
            return {"code": self.hand.register(step["node"])[0]}
        if "kubelet" in step:
            return self.hand.act(step["kubelet"], self._pods(step))
        if "within" in step:
            return self._wait(step)
        if "until" in step:
            self.world.reach(self.marked + round(step["until"] * SECOND))
        elif "seconds" in step:
            self.world.reach(self.world.sim.now + round(step["seconds"] * SECOND))
        elif "mark" in step:
            self.marked = self.world.sim.now
        elif "silent" in step:
            self.hand.silence(step["silent"])
        elif "back" in step:
            self.hand.back(step["back"])
        elif "status" in step:
            self.hand.say(step["of"], step["status"] in (True, "True"), self._said_of(step))
        elif "auto" in step:
            self.hand.automate(step["auto"])
        elif "metrics" in step:
            self._measure(step)
        elif "hollow" in step:
            self._start(step["hollow"])
        elif "kill" in step:
            self.world.cluster.components[f"kubelet@{step['kill']}"].crash()
        else:
            raise LookupError(f"step {step['n']}, {step['say']!r}, is of no kind that is known")
        return None

    def _measure(self, step):
        """From here on pods use what the step says."""
        names = {}
        for pod in step["usage"]:
            if pod != "*":
                names[pod] = self.naming.plain("Pod", pod, step["n"], names.values())
        self.world.metrics.usage = {names.get(pod, pod): used for pod, used in step["usage"].items()}

    def _start(self, node):
        for program in self.world.cluster.topology.spares:
            component = self.world.cluster.components[program]
            if program.endswith(f"@{node}") and not component.up:
                component.start()
        self.world.until(lambda: f"Node/{node}" in self.notes.now)
        self.world.ask("PATCH", f"/api/v1/nodes/{node}", {"metadata": {"labels": self.hand.labels}}, MERGE)

    def _said_of(self, step):
        """The words in which the recorder had a node post its readiness: its doing, and so read from the recording."""
        entry = self.recorded["objects"].get(f"Node/{step['of']}", {"versions": []})
        for version in entry["versions"]:
            changed = version.get("object") or version.get("change") or {}
            found = ((changed.get("status") or {}).get("conditions") or {}).get("Ready")
            if version["step"] == step["n"] and found:
                return {key: found[key] for key in ("reason", "message") if found.get(key)}
        return {}

    def _pods(self, step):
        """The pods of ours that a step of the kubelet means."""
        done, n = step["kubelet"], step["n"]
        if step.get("pods_vary") and done["do"] in ("gone", "ready"):
            fitting = self._fitting(done["do"])
            if len(fitting) >= len(done["pods"]):
                return fitting if done["do"] == "gone" else fitting[: len(done["pods"])]
        names = {}
        for pod in done["pods"]:
            names[pod] = self.naming.plain("Pod", pod, n, names.values())
        return list(names.values())

    def _fitting(self, do):
        """Those that are marked, or those that are not ready, the oldest first."""
        pods = [obj for key, obj in self.notes.now.items() if key.startswith("Pod/")]
        if do == "gone":
            return [pod["metadata"]["name"] for pod in pods if pod["metadata"].get("deletionTimestamp")]
        living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        return [pod["metadata"]["name"] for pod in living if not ready(pod)]

    def _wait(self, step):
        """Until the expression is true; it has not been reached if that takes longer than the recorder waited."""
        begun, end = self.world.sim.now, self.world.sim.now + round(step["within"] * SECOND)
        while not self._holds(step["until"], begun):
            if self.world.sim.now >= end:
                return {"not_reached": True}
            self.world.reach(self.world.sim.now + LOOKS)
        return None

    def _holds(self, expression, begun):
        now = self.world.sim.now
        clock = {"second": self.world.second(), "minutes": now // MINUTE - begun // MINUTE}
        return self.until.holds(expression, self.notes.now, self.notes.versions, clock)

    def _settle(self, step):
        """As long as the recorder let things come to rest."""
        gap = self.begins[step["n"]] - self.begins[step["n"] - 1]
        if not {"request", "kubelet", "back", "auto", "within", "status", "node", "hollow"} & step.keys():
            return
        usual = 0.4 if "node" in step else self.recorded["quiet"]
        quiet = min(round(step.get("quiet", usual) * SECOND), gap)
        end = self.start + self.begins[step["n"]]
        while self.world.sim.now < min(max(end, self.notes.moved + quiet), end + RESTLESS):
            self.world.reach(min(max(end, self.notes.moved + quiet), end + RESTLESS))

    # -- requests ------------------------------------------------------------------------------------------------------
    def _request(self, step):
        request, n = step["request"], step["n"]
        body = request.get("body")
        if request.get("content-type") == MERGE:
            body = restored(body, self._lost(request, n))
        ago = AGO.search(step["say"])
        known = {"<time>": self.world.ago(int(ago[1]) * UNITS[ago[2]] if ago else 0)}
        for mark in re.findall(r"<uid\d+>", json.dumps(body)):
            known[mark] = self._elsewhere(mark, body)
        path = self.naming.filled(request["path"], n, known)
        if body is not None:
            body = json.loads(self.naming.filled(json.dumps(body), n, known))
        code, answer = self.world.ask(request["method"], path, body, request.get("content-type", "application/json"))
        self.answers[n] = answer
        return {"code": code, "request": {"code": code, "answer": answer}}

    def _elsewhere(self, mark, body):
        """The uid of an owner that lives in another namespace."""
        for owner in body["metadata"]["ownerReferences"]:
            if owner["uid"] == mark:
                path = f"/api/v1/namespaces/default/{owner['kind'].lower()}s/{owner['name']}"
                return self.world.ask("GET", path)[1]["metadata"]["uid"]
        raise LookupError(f"nothing says what {mark} is")

    def _lost(self, request, n):
        """What became null of the object that a patch changed, in the recorded form."""
        name = request["path"].split("/")[-2 if request["path"].endswith(("/status", "/scale")) else -1]
        for key, entry in self.recorded["objects"].items():
            if key.split("/", 1)[1] == name:
                for version in entry["versions"]:
                    if version["step"] == n and "change" in version:
                        return version["change"]
        return {}

    def _asked(self):
        """What the recording asked for beside the watch (`answers`), by the form in which it says it."""
        found = []
        for wanted in self.recorded["answers"]:
            told = re.fullmatch(r"pod (\S+) tolerations", next(iter(wanted), ""))
            if told:
                found.append({told.group(): self.notes.now[f"Pod/{told[1]}"]["spec"]["tolerations"]})
        return found or self.recorded["answers"]


def alone(recorded):
    """Whether the history had a cluster of its own: all its nodes fall silent at once, or it has hollow ones.

    One that says that it had a ``neighbour`` had none.
    """
    steps = recorded["steps"]
    if recorded.get("neighbour"):
        return False
    nodes = {step["node"]["name"] for step in steps if "node" in step}
    return any("hollow" in step or nodes == set(step.get("silent", [None])) for step in steps)


def ready(pod):
    """Whether a pod says that it is ready."""
    found = pod["status"].get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in found)


def restored(body, change):
    """The body of a merge patch with the nulls that it was written down without.

    *change*: what became of the object. What vanished from a map of the spec that the patch names, it took away; where
    it has an empty map, it took all away, of the metadata the finalizers, and of a ConfigMap the data.
    """
    if body == {}:
        return {"data": None}

    def filled(at, after, path):
        gone = [key for key, left in after.items() if left is None and key not in at]
        gone = gone if path[:1] == ("spec",) or not at else []
        if not at and path:
            return dict.fromkeys(gone or TAKEN.get(path, ())) or None
        found = dict.fromkeys(gone)
        for key, value in at.items():
            there = after.get(key)
            nested = isinstance(value, dict)
            found[key] = filled(value, there if isinstance(there, dict) else {}, (*path, key)) if nested else value
        return found

    return filled(body, change, ())
