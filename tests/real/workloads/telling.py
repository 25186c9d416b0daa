"""A story, told: its moves one after another to a world, with all that was seen.

A move says which pods it means by what they are (the two oldest that are not ready, all that are marked), since who
tells does not know their names; what is written down names them.
"""

from kubemini.sim.units import MS, SECOND
from tests.oracles.histories.hand import Hand
from tests.oracles.histories.noting import NAMESPACE
from tests.oracles.histories.playing import ready

LOOKS = 100 * MS
QUIET, QUIET_NODE = 0.8, 0.4  # s in which nothing moves, before anybody is asked whether he rests
BREATH = 20 * MS
HELD = 60 * SECOND  # nobody waits longer than that for quiet
PATIENCE = 300 * SECOND
LAST = 2.5  # s of quiet at the end: Events are written by a thread of their own
ENDED = ("Succeeded", "Failed")


class Telling:
    """One story under way in a *world*, with its *notes*; *until*: the language of waits."""

    def __init__(self, world, notes, until, story):
        self.world, self.notes, self.until, self.story = world, notes, until, story
        nobody = {"steps": [], "kubelet": "hand", "needs": story["needs"]}
        self.hand = Careful(world, notes, Unnamed(), nobody)
        self.steps, self.begins = [], []
        notes.listeners.append(self._stamp)

    def _stamp(self, key, type, obj):
        """Write down when a version came."""
        self.notes.versions[key][-1]["at"] = self.world.sim.now

    def run(self):
        """Tell it; returns what was seen, with real names and full objects."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        code, answer = self.world.ask("POST", "/api/v1/namespaces", space)
        assert code == 201, answer
        self._await_account()
        self.hand.renew_at(self.world.sim.now)
        start = self.world.sim.now
        for n, move in enumerate(self.story["moves"], 1):
            self.begins.append((self.world.sim.now - start) / SECOND)
            self.notes.step = n
            taken = self._take(move)
            self.steps.append({"n": n, "say": move["say"], **taken})
            self.notes.moved = self.world.sim.now
            if taken.get("kubelet", {"pods": 1})["pods"]:
                self._settle(move)
        self._quiet(LAST)
        objects = {key: {"versions": versions} for key, versions in self.notes.versions.items()}
        end = (self.world.sim.now - start) / SECOND
        seen = {"objects": objects, "events": list(self.notes.events.values()), "steps": self.steps}
        return seen | {"begins": self.begins, "end": end, "start": start}

    def _await_account(self):
        """Without its account, no pod may be made in a namespace."""
        path, end = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default", self.world.sim.now + PATIENCE
        while self.world.ask("GET", path)[0] != 200:
            assert self.world.sim.now < end, "the namespace has no account"
            self.world.reach(self.world.sim.now + LOOKS)

    # -- moves ---------------------------------------------------------------------------------------------------------
    def _take(self, move):
        if "node" in move:
            return {"node": move["node"], "code": self.hand.register(move["node"])[0]}
        if "kubelet" in move:
            done = {**move["kubelet"], "pods": self._pods(move["kubelet"]["do"], **move["of"])}
            self.hand.act(done, done["pods"])
            return {"kubelet": done}
        if "silent" in move or "back" in move:
            (self.hand.silence if "silent" in move else self.hand.back)(move.get("silent") or move["back"])
            return {word: move[word] for word in ("silent", "back") if word in move}
        if "within" in move:
            return {"within": move["within"], "until": move["until"], **self._wait(move)}
        if "seconds" in move:
            self.world.reach(self.world.sim.now + round(move["seconds"] * SECOND))
            return {"seconds": move["seconds"]}
        return self._request(move)

    def _request(self, move):
        """Send a request; one about a pod of which there is none is not sent."""
        request = move["request"]
        if "of" in move:
            found = self._pods("any", **move["of"])
            if not found:
                return {"seconds": 0}
            request = _with_pod(request, found[0])
        kind = request.get("content-type", "application/json")
        code, answer = self.world.ask(request["method"], request["path"], request.get("body"), kind)
        refused = {key: answer.get(key) for key in ("reason", "message")} if code >= 400 else None
        return {"request": {"as": "admin", **request, "code": code, **({"answer": refused} if refused else {})}}

    def _wait(self, move):
        begun = self.world.sim.now
        while not self.until.holds(move["until"], self.notes.now, self.notes.versions, self._clock(begun)):
            if self.world.sim.now >= begun + move["within"] * SECOND:
                return {"not_reached": True}
            self.world.reach(self.world.sim.now + LOOKS)
        return {}

    def _clock(self, begun):
        minute = 60 * SECOND
        return {"second": self.world.second(), "minutes": self.world.sim.now // minute - begun // minute}

    # -- which pods ----------------------------------------------------------------------------------------------------
    def _pods(self, do, app, many=None):
        """Names of the pods of an *app* to which that may be done, the oldest *many*, or all."""
        living = [key for key in self.notes.versions if key.startswith("Pod/") and key in self.notes.now]
        pods = [self.notes.now[key] for key in living]
        heard = [pod for pod in pods if do == "any" or pod["spec"].get("nodeName") not in self.hand.silent]
        fitting = [pod for pod in heard if pod["metadata"].get("labels", {}).get("app") == app and fits(pod, do)]
        return [pod["metadata"]["name"] for pod in fitting][:many]

    # -- rest ----------------------------------------------------------------------------------------------------------
    def _settle(self, move):
        if "seconds" in move or "silent" in move:
            return
        self._quiet(QUIET_NODE if "node" in move else self.story.get("quiet", QUIET))

    def _quiet(self, seconds):
        """Until nothing has moved for so long, and the controllers say that they have done their work."""
        notes, sim, quiet = self.notes, self.world.sim, round(seconds * SECOND)
        until = sim.now + HELD
        while sim.now < until:
            while sim.now < min(notes.moved + quiet, until):
                self.world.reach(min(notes.moved + quiet, until))
            moved = notes.moved
            self.world.rest(self.story["rests"])
            self.world.reach(sim.now + BREATH)
            if notes.moved == moved:
                return


class Careful(Hand):
    """Binds no pod to a node that is silent: it would be told to go, again and again, as often as time allows."""

    def silence(self, names):
        """Their kubelets renew no Lease from here on."""
        super().silence(names)
        self.nodes = [name for name in self.nodes if name not in names]

    def back(self, names):
        """They renew again."""
        super().back(names)
        self.nodes = sorted({*self.nodes, *names})


class Unnamed:
    """Stands where a recording would say which node a pod was bound to: the nodes take turns."""

    def node_of(self, pod, step):
        """Nothing says it."""
        return None


def fits(pod, do):
    """Whether a kubelet, or somebody else ("any"), may do that to a pod now."""
    marked, phase = "deletionTimestamp" in pod["metadata"], pod["status"].get("phase")
    if do == "gone":
        return marked
    if marked or not pod["spec"].get("nodeName"):
        return False
    if do == "any":
        return True
    if phase in ENDED:
        return False
    return {"ready": not ready(pod), "unready": ready(pod), "crash": True}.get(do, True)


def _with_pod(request, name):
    """A request about that pod: the word ``POD`` in its path and its body."""
    body = request.get("body")
    if isinstance(body, dict) and body.get("kind") == "Eviction":
        body = {**body, "metadata": {"name": name, "namespace": NAMESPACE}}
    filled = {**request, "path": request["path"].replace("POD", name)}
    return filled | ({"body": body} if body is not None else {})
