"""Take-overs of the controller manager's Lease: two of them stand for election, the holder is ended, again and again.

Each is measured as the recorder did: from the last renewal of the old holder to the first of the new one. When a
standby looks is chance, so ours differs if none of a few draws lies within what was recorded.
"""

from dataclasses import replace

from kubemini.api.timestamps import instant
from kubemini.cluster.topology import build
from kubemini.sim.units import MS, SECOND
from tests.oracles.histories.world import World

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
EVENTS = "/api/v1/namespaces/kube-system/events"
ONE, TWO = "controller-manager-1", "controller-manager-2"
LOOKS = 20 * MS
PATIENCE = 60 * SECOND
STOPPED = 30 * SECOND  # SIGSTOP for 30 s
ENDS = {"kill -9": -9, "SIGTERM": -15}  # what a parent learns of a program that ends by the signal


def played(recorded, seed):
    """The recorded take-overs, one after the other, on a cluster of ours."""
    stage = standing(seed)
    return {"runs": [stage.run(run) for run in recorded["runs"]], "event": stage.event()}


def standing(seed):
    """A cluster in which two controller managers stand for election."""
    plane = build("single", workers=0)
    hosts = (with_another(host) if ONE in host.components else host for host in plane.hosts)
    return Stage(World({"steps": [], "needs": ["controllers"]}, seed, replace(plane, hosts=tuple(hosts))))


def with_another(host):
    """A host with two controller managers."""
    return replace(host, components=(*host.components, TWO))


class Stage:
    """Two controller managers and their Lease."""

    def __init__(self, world):
        self.world = world
        self.managers = {name: world.cluster.components[name] for name in (ONE, TWO)}

    def lease(self):
        """The Lease's spec, or nothing as long as there is none."""
        code, answer = self.world.ask("GET", LEASE)
        return answer["spec"] if code == 200 else {}

    def _until(self, happened):
        end = self.world.sim.now + PATIENCE
        while not happened():
            assert self.world.sim.now < end, "nobody has taken the Lease over within a minute"
            self.world.reach(self.world.sim.now + LOOKS)

    def holder(self):
        """The program that holds the Lease."""
        return self.managers[self.lease()["holderIdentity"].split("_")[0]]

    def run(self, recorded):
        """One of them: what was measured."""
        how = recorded["how"]
        if "transitions" not in recorded:
            self._until(self.lease)
            return {"how": how, "lease": self.lease()}
        holder, before = self.holder(), self.lease()
        self._until(lambda: self.lease()["renewTime"] != before["renewTime"])
        self.world.reach(self.world.sim.now + round(recorded["since_last_renewal_at_signal"] * SECOND))
        before, signalled = self.lease(), self.world.sim.now
        self._end(holder, how)
        self._until(lambda: self.lease()["holderIdentity"] != before["holderIdentity"])
        after = self.lease()
        found = {"how": how, "transitions": [before["leaseTransitions"], after["leaseTransitions"]]}
        seconds = (instant(after["renewTime"]) - instant(before["renewTime"])) / SECOND
        found |= {"taken_over_after_last_renewal": seconds, "exit_status": ENDS.get(how)}
        if how not in ENDS:
            self.world.reach(max(self.world.sim.now, signalled + STOPPED))
            holder.resume()
            self._until(lambda: not holder.up)
            found |= {"exited_after_s_from_continue": (self.world.sim.now - signalled - STOPPED) / SECOND}
            found |= {"exit_status": self._status(holder, signalled)}
        holder.start()
        return found

    def _end(self, holder, how):
        {"kill -9": holder.crash, "SIGTERM": holder.terminate}.get(how, holder.pause)()

    def _status(self, program, since):
        """1 of a program that has ended, *since* then, because it lost its Lease."""
        records = self.world.sim.trace.records
        said = [
            record.detail.get("text", "") for record in records if record.actor == program.name and record.at > since
        ]
        return 1 if any("leader election lost" in text for text in said) else 0

    def event(self):
        """The Event of a take-over."""
        found = [e for e in self.world.ask("GET", EVENTS)[1]["items"] if e["reason"] == "LeaderElection"]
        if not found:
            return None
        about = found[-1]["involvedObject"]
        message = found[-1]["message"].replace(self.lease()["holderIdentity"], "<holder>")
        said = {"on": f"{about['kind']}/{about['name']}", "apiVersion": about["apiVersion"], "message": message}
        return said | {"reason": "LeaderElection", "type": found[-1]["type"], "from": found[-1]["source"]["component"]}
