"""A story of our own, told to a real control plane, and written down in the form of a recording (see ../playing.py).

A step of a story is what a recording has, but for names that the control plane makes up: a kubelet's step says whose
pods it means and how many, `{"do": "ready", "of": "web", "most": 2}`, and takes the oldest that fit; a request may say
`<pod web 1>`, the oldest pod of web, or `<set web 1>`, its first ReplicaSet. What is written down names them by their
fate.
"""

import json
import re
from collections import defaultdict

from kubemini.sim.units import MINUTE, SECOND
from tests.oracles.histories.hand import Hand
from tests.oracles.histories.noting import NAMESPACE
from tests.oracles.histories.telling.metrics import Metrics
from tests.oracles.histories.telling.outside import OutsideNotes

LOOKS = SECOND // 20
MEANT = re.compile(r"<(pod|set) (\S+) (\d+)>")
MEANING = {"pod": "Pod", "set": "ReplicaSet"}
HASHED = {
    "ReplicaSet": ("Deployment", "h"),
    "ControllerRevision": ("StatefulSet DaemonSet", "r"),
    "Job": ("CronJob", "m"),
}


class Anywhere:
    """Who tells a story lets the nodes take turns."""

    def node_of(self, pod, step):
        """No recording says."""
        return None


class Telling:
    """One story under way in *world*, an Outside; *judge* and *until* are the programs of the folder above."""

    def __init__(self, judge, until, world, story):
        self.judge, self.until, self.world, self.story = judge, until, world, story
        self.notes = OutsideNotes(world, judge.FIELDS)
        self.times, self.steps = defaultdict(list), []
        self.notes.listeners.append(self._timed)
        self.start = world.now
        self.hand = Hand(world, self.notes, Anywhere(), story)
        self.metrics = Metrics(world, self.notes, NAMESPACE)

    def _timed(self, key, type, obj):
        self.times[key].append(round((self.world.now - self.start) / SECOND, 1))

    def run(self):
        """Take all steps; returns what was seen: a recording whose objects are as the API gives them."""
        world, begins = self.world, []
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        world.ask("POST", "/api/v1/namespaces", namespace)
        world.until(lambda: {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"} <= self.notes.now.keys())
        self._settle(1)
        self.start = world.now
        self.hand.renew_at(world.now)
        for n, step in enumerate(self.story["steps"], 1):
            self._await_pods(step)
            begins.append(round((world.now - self.start) / SECOND, 1))
            self.notes.step = n
            self.steps.append({"n": n, **self._take(step)})
            self.notes.moved = world.now
            if {"request", "kubelet", "back", "auto", "within", "status", "node"} & step.keys():
                self._settle(step.get("quiet", 0.4 if "node" in step else self.story["quiet"]))
        world.leave()
        times = {"steps": [begins], "end": [round((world.now - self.start) / SECOND, 1)]}
        objects = {key: {"versions": versions} for key, versions in self.notes.versions.items()}
        seen = {"objects": objects, "events": list(self.notes.events.values()), "steps": self.steps}
        return {**seen, "times": times | {"objects": {key: [times] for key, times in self.times.items()}}}

    def _settle(self, quiet):
        """Until nothing has moved for *quiet* s, and not while a controller answered what it was asked after that."""
        world, probed = self.world, 0
        while self.notes.moved >= probed:
            while world.now < self.notes.moved + round(quiet * SECOND):
                world.reach(min(self.notes.moved + round(quiet * SECOND), world.now + LOOKS))
            probed = world.now
            world.probe()

    # -- steps ---------------------------------------------------------------------------------------------------------
    def _take(self, step):
        """Do what *step* says; returns it as it is written down."""
        done = json.loads(MEANT.sub(self._meant, json.dumps(step)))
        if "request" in done:
            return {**done, "request": self._request(done["request"])}
        if "node" in done:
            return {**done, "code": self.hand.register(done["node"])[0]}
        if "kubelet" in done:
            asked = dict(done["kubelet"])
            names = self._fitting(asked["do"], asked.pop("of"))[: asked.pop("most", None)]
            self.hand.act(asked, names)
            return {**done, "say": f"{step['say']}: {', '.join(names)}", "kubelet": {**asked, "pods": names}}
        if "within" in done:
            return {**done, **({} if self._comes(done) else {"not_reached": True})}
        if "seconds" in done:
            self.world.reach(self.world.now + round(done["seconds"] * SECOND))
        elif "silent" in done:
            self.hand.silence(done["silent"])
        elif "back" in done:
            self.hand.back(done["back"])
        elif "auto" in done:
            self.hand.automate(done["auto"])
        elif "status" in done:
            self.hand.say(done["of"], done["status"])
        elif "usage" in done:
            self.metrics.measure(done["usage"])
        else:
            raise LookupError(f"a step of no kind that is known: {step}")
        return done

    def _await_pods(self, step):
        """Until there are as many pods as the step means: they belong to the step before."""
        if "kubelet" in step:
            asked = step["kubelet"]
            self.world.until(lambda: len(self._fitting(asked["do"], asked["of"])) >= asked.get("most", 1))

    def _request(self, request):
        kind = request.get("content-type", "application/json")
        code, answer = self.world.ask(request["method"], request["path"], request.get("body"), kind)
        refused = {key: answer.get(key) for key in ("reason", "message")}
        return {"as": "admin", **request, "code": code, **({"answer": refused} if code >= 400 else {})}

    def _comes(self, step):
        begun = self.world.now
        while not self._holds(step["until"], begun):
            if self.world.now > begun + step["within"] * SECOND:
                return False
            self.world.reach(self.world.now + LOOKS)
        return True

    def _holds(self, expression, begun):
        minutes = self.world.now // MINUTE - begun // MINUTE
        clock = {"second": self.world.second(), "minutes": minutes}
        return self.until.holds(expression, self.notes.now, self.notes.versions, clock)

    # -- which pods ----------------------------------------------------------------------------------------------------
    def _meant(self, found):
        return self._oldest(found[2], MEANING[found[1]])[int(found[3]) - 1]

    def _oldest(self, of, kind="Pod"):
        """The names of the pods that begin with *of*, the first that was seen first."""
        found = [obj["metadata"] for key, obj in self.notes.now.items() if key.startswith(f"{kind}/")]
        order = list(self.notes.versions)
        names = [meta["name"] for meta in found if meta["name"].startswith(of)]
        return sorted(names, key=lambda name: order.index(f"{kind}/{name}"))

    def _fitting(self, do, of):
        """Those of them to which a kubelet can do that."""
        return [name for name in self._oldest(of) if fits(do, self.notes.now[f"Pod/{name}"])]


def fits(do, pod):
    """Whether a kubelet can do that to *pod*."""
    marked, status = bool(pod["metadata"].get("deletionTimestamp")), pod["status"]
    if do == "gone":
        return marked
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
    final = status.get("phase") in ("Succeeded", "Failed")
    return not marked and not final and ready == (do == "unready") if do in ("ready", "unready") else not final


# -- what was seen, as it is written down ------------------------------------------------------------------------------
def named(judge, seen):
    """*seen* with marks for all that the control plane made up: uids, addresses, hashes, suffixes."""
    generated = {key: made_of(entry) for key, entry in seen["objects"].items()}
    seen = judge.real_values(seen, hollow=False, trigger=False)
    hashes = defaultdict(list)
    for key, entry in seen["objects"].items():
        kind, name = key.split("/", 1)
        owners, letter = HASHED.get(kind, ("", ""))
        owner = judge.owner(entry) if letter else ""
        if owner and owner.split("/")[0] in owners.split():
            hashes[letter].append(name.removeprefix(f"{owner.split('/')[1]}-"))
    marks = {name: f"<{letter}{n}>" for letter, names in hashes.items() for n, name in enumerate(names, 1)}
    seen = judge.replacer(marks)(seen)
    families = defaultdict(list)
    for key, prefix in generated.items():
        key, prefix = judge.replacer(marks)(key), judge.replacer(marks)(prefix)
        if prefix:
            families[f"{key.split('/')[0]}/{prefix}"].append(key)
    for family, keys in families.items():
        keys.sort(key=lambda key: fate(judge, key, seen["objects"][key]))
        prefix = family.split("/", 1)[1]
        seen = judge.replacer({key.split("/", 1)[1]: f"{prefix}<{n}>" for n, key in enumerate(keys, 1)})(seen)
    return seen


def made_of(entry):
    """The prefix of a name that was generated; "" if it was not."""
    meta = entry["versions"][0]["object"]["metadata"]
    prefix = meta.get("generateName", "")
    return prefix if prefix and re.fullmatch(f"{re.escape(prefix)}[a-z0-9]{{5}}", meta["name"]) else ""


def fate(judge, key, entry):
    """What tells an object from its equals: when it came, and then all that became of it."""
    life = json.dumps(judge.versions(key, entry), sort_keys=True).replace(key.split("/", 1)[1], "<self>")
    return entry["versions"][0]["step"], life


def written(judge, key, entry, stable):
    """An object's versions as a recording has them: the first whole, then what changed of it."""
    listed = judge.versions(key, entry)
    if stable != "sequence":
        listed = [v for v, after in zip(listed, [*listed[1:], (None,)]) if v[0] != after[0] or v[1] == "DELETED"]
    found, before = [], None
    for step, type, state in listed:
        version = {"step": step, "type": type}
        if state is not None:
            told = {"object": state} if before is None else {"change": patch(before, state)}
            version |= told
        found.append(version)
        before = state
    return found


def patch(old, new):
    """The merge patch from one to the other."""
    changed = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            changed[key] = value
        elif old[key] != value:
            both = isinstance(old[key], dict) and isinstance(value, dict)
            changed[key] = patch(old[key], value) if both else value
    return changed
