"""Which object of ours a recorded name means: hashes by order of birth, equal pods by what has become of them so far.

``web-<h1>`` is the first ReplicaSet of its owner, ``web-<h1>-<2>`` a pod of it. Equal pods are interchangeable, so a
name is no promise: each time a step says one, that pod of ours is meant whose past is most like the recorded one's.
"""

import json
import re

NAME = re.compile(r"<(?:uid|ip) of (?:[^<>]|<\w+>)*>|[\w.-]*(?:<\w+>[\w.-]*)+")
BORN_IN_ORDER = ("ReplicaSet", "ControllerRevision", "Job")
MARK = "/metadata/deletionTimestamp"
MADE_UP = ("pod-template-hash", "controller-revision-hash", "controller-uid", "batch.kubernetes.io/controller-uid")


class Naming:
    """The names of one history: the recorded ones, and those of our *notes*.

    *judge* is the compare.py; *row*: which of the recording's runs the times are taken from.
    """

    def __init__(self, judge, recorded, notes, row):
        self.judge, self.recorded, self.notes, self.row = judge, recorded, notes, row
        self.last = max(step["n"] for step in recorded["steps"])
        self.given = set()  # recorded pods whose node has been given to one of ours
        self._pasts = {}  # key → (how many versions it was made of, the state after each step)
        self._theirs = {}

    # -- hashes, revisions, minutes ------------------------------------------------------------------------------------
    def plain(self, kind, name, step, taken=()):
        """The name of ours that the recorded *name* means in *step*; *taken*: those that are spoken for."""
        if "<" not in name:
            return name
        if kind in BORN_IN_ORDER:
            return self._in_order(kind, name)
        found = [ours for ours in self._like(kind, name) if ours not in taken]
        if not found:
            return name
        return min(found, key=lambda ours: self._unlike(kind, name, ours, step))

    def _in_order(self, kind, name):
        entry = self.recorded["objects"].get(f"{kind}/{name}")
        owner = self.judge.owner(entry) if entry and entry["versions"] else None
        theirs = [other for other in self._recorded(kind) if owner in (None, self._owner(kind, other))]
        theirs.sort(key=lambda other: int(re.search(r"<\w?(\d+)>", other)[1]))
        ours = [other for other in self._ours(kind) if owner in (None, self.judge.owner(self._entry(kind, other)))]
        place = theirs.index(name) if name in theirs else 0
        return ours[place] if place < len(ours) else name

    def _recorded(self, kind):
        return [key.split("/", 1)[1] for key in self.recorded["objects"] if key.startswith(f"{kind}/") and "<" in key]

    def _owner(self, kind, name):
        entry = self.recorded["objects"][f"{kind}/{name}"]
        return self.judge.owner(entry) if entry["versions"] else None

    def _ours(self, kind):
        return [key.split("/", 1)[1] for key in self.notes.versions if key.startswith(f"{kind}/")]

    def _entry(self, kind, name):
        return {"versions": self.notes.versions[f"{kind}/{name}"]}

    # -- generated names -----------------------------------------------------------------------------------------------
    def _like(self, kind, name):
        """Those of ours that are there and have the same owner and form."""
        prefix = re.sub(r"<\w*>$", "", name)
        for owner in BORN_IN_ORDER if "<" in prefix else ():
            whole = prefix.rstrip("-")
            while "<" in whole and f"{owner}/{whole}" not in self.recorded["objects"] and "-" in whole:
                whole = whole.rsplit("-", 1)[0]
            if f"{owner}/{whole}" in self.recorded["objects"]:
                prefix = self._in_order(owner, whole) + prefix[len(whole) :]
                break
        form = re.escape(prefix) if "<" not in prefix else re.sub(r"<[^>]*>", "[a-z0-9]+", prefix)
        form = re.compile(form + "[^-]*")
        return [ours for ours in self._ours(kind) if f"{kind}/{ours}" in self.notes.now and form.fullmatch(ours)]

    def _unlike(self, kind, name, ours, step):
        """How much the past of ours, before *step*, differs from that of the recorded one."""
        entry = self.recorded["objects"].get(f"{kind}/{name}", {"versions": []})
        key = f"{kind}/{name}"
        if key not in self._theirs:
            self._theirs[key] = self._states(key, entry, name)
        key, mine = f"{kind}/{ours}", self._entry(kind, ours)
        if self._pasts.get(key, (0,))[0] != len(mine["versions"]):
            self._pasts[key] = len(mine["versions"]), self._states(key, mine, ours)
        varied = set(self.judge.strictness(entry)[1]) if entry["versions"] else set()
        paths = sorted(path for path in varied if path.startswith("/"))
        past, present = (self._held(of, paths) for of in (self._theirs[f"{kind}/{name}"], self._pasts[key][1]))
        cost, then, now = 0, None, None
        for number in range(step):
            then, now = past.get(number, then), present.get(number, now)
            cost += then != now and f"step {number}" not in varied
        if MARK not in varied:  # who is being deleted does not stand for who lives
            cost += 2 * self.last * (_marked(then) != _marked(now))
        return cost + 3 * ((then is None) != (now is None)) + (len(self.judge.leaves(read(then), read(now))) > 0) * 2

    def _held(self, states, paths):
        """Those states without what was another in each run: that tells no pods apart."""
        if not paths:
            return states
        there = ((step, read(state)) for step, state in states.items())
        held = ((step, self.judge.without(state, paths)) for step, state in there if state)
        return {**states, **{step: json.dumps(state, sort_keys=True) for step, state in held}}

    def _states(self, key, entry, name):
        """The state after each step, as text, without what is another in each run."""
        states = {}
        for step, _, state in self.judge.versions(key, entry):
            if state is not None:
                state = json.loads(json.dumps(state).replace(name, "<self>"))
                meta = state.get("metadata", {})
                meta.pop("ownerReferences", None)
                for label in MADE_UP:
                    meta.get("labels", {}).pop(label, None)
                state.get("status", {}).pop("podIP", None)
            states[step] = self.judge.TIME.sub("<time>", json.dumps(state, sort_keys=True))
        return states

    # -- who is bound where --------------------------------------------------------------------------------------------
    def node_of(self, pod, step):
        """The node that the hand bound such a pod to in the recording: "" if to none, None if that does not say."""
        name, found = pod["metadata"]["name"], []
        for key, entry in self.recorded["objects"].items():
            if not key.startswith("Pod/") or key in self.given:
                continue
            theirs = key.split("/", 1)[1]
            if theirs == name or ("<" in theirs and name in self._like("Pod", theirs)):
                found += [(born != step, born, time, key, node) for born, time, node in self._lives(key, entry)]
        if not found:
            return None
        *_, key, node = min(found, key=lambda one: one[:4])
        if "<" in key:
            self.given.add(key)
        return node

    def _lives(self, key, entry):
        """(step, time, node) of each birth that is recorded, with the node it was bound to later."""
        times = self.recorded["times"]["objects"].get(key, {self.row: []})[self.row]
        varied = any(path in ("/spec", "/spec/nodeName") for path in entry.get("varies", ()))
        life = None
        for place, version in enumerate(entry["versions"]):
            changed = version.get("object") or version.get("change") or {}
            if "object" in version:
                if life:
                    yield life
                life = version["step"], times[place] if place < len(times) else 0, None if varied else ""
            node = (changed.get("spec") or {}).get("nodeName")
            if node and life:
                life = *life[:2], node
        if life:
            yield life

    # -- what a request says -------------------------------------------------------------------------------------------
    def filled(self, text, step, known):
        """*text* with names, uids and addresses of ours; *known*: others of its marks → what they stand for."""
        return NAME.sub(lambda found: self._filled(found.group(), step, known), text)

    def _filled(self, word, step, known):
        if word in known:
            return known[word]
        about = re.fullmatch(r"<uid of (\w+)/(.*)>", word)
        if about:
            return self.notes.seen(about[1], self.plain(about[1], about[2], step))["metadata"]["uid"]
        address = re.fullmatch(r"<ip of (.*)>", word)
        if address:
            return self.notes.seen("Pod", self.plain("Pod", address[1], step))["status"]["podIP"]
        kinds = [key.split("/", 1)[0] for key in self.recorded["objects"] if key.split("/", 1)[1] == word]
        if kinds:
            return self.plain(kinds[0], word, step)
        whole = [key for key in self.recorded["objects"] if key.endswith(f"-{word}") and key.count("<") == 1]
        if whole:  # a hash alone
            kind, name = whole[0].split("/", 1)
            return self.plain(kind, name, step)[len(name) - len(word) :]
        raise LookupError(f"a request names {word}, and nothing in the recording says what that is")


def _marked(state):
    return "deletionTimestamp" in (read(state) or {}).get("metadata", {})


def read(state):
    """A state that was written down as text; None where there was none."""
    return json.loads(state) if state else None
