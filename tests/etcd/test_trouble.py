"""Whatever happens to machines, wires and members: no acknowledged write is lost, and in the end all agree."""

from dataclasses import replace
from random import Random

import pytest

from kubemini.params import Params
from tests.worlds.etcd import Growing

DEEDS = ["crash", "crash", "pause", "stop", "cut", "heal", "back", "back", "add", "remove", "promote", "move"]
SHORT = replace(Params(), etcd_snapshot_count=15, etcd_snapshot_catchup_entries=5)


class Troubled(Growing):
    """A world in which seeded trouble comes."""

    def __init__(self, seed):
        super().__init__(3, seed, SHORT)
        self.rng = Random(seed)
        self.machines = [*self.members, *self.spares.values()]
        self.written = {}
        self.number = 0

    def write(self):
        """Ask anybody who is up; remember what was acknowledged."""
        up = [m for m in self.machines if m.up and m.serving]
        if not up:
            return
        self.number += 1
        key, target = f"w/{self.number}", self.rng.choice(up).name
        event = self.client.call(target, "put", {"key": key, "value": "v"})
        event.callbacks.append(lambda e: e.value.ok and self.written.update({key: e.value.value["header"]["revision"]}))

    def trouble(self):
        machine = self.rng.choice(self.machines)
        hosts = [m.host.name for m in self.machines]
        match self.rng.choice(DEEDS):
            case "crash":
                machine.crash()
            case "pause":
                machine.pause()
            case "stop":
                machine.terminate()
            case "move":
                leader = next((m for m in self.leaders_now() if not m.paused), None)
                if leader is not None:
                    self.client.call(
                        leader.name, "move_leader", {"targetID": self.rng.choice(list(leader.membership.members))}
                    )
            case "cut":
                self.net.cut([machine.host.name], [h for h in hosts if h != machine.host.name])
            case "heal":
                self.net.heal()
            case "back":
                self.bring_back(machine)
            case "add":
                self.client.spawn(self.try_to_add(machine))
            case what:
                known = self.known()
                if known is not None:
                    id = self.rng.choice(sorted(known.membership.members))
                    self.client.call(known.name, f"member_{what}", {"ID": id})

    def leaders_now(self):
        return [m for m in self.machines if m.up and m.serving and m.raft.role == "leader"]

    def bring_back(self, machine):
        machine.resume()
        machine.start()

    def known(self):
        return next((m for m in self.machines if m.up and m.serving and not m.paused), None)

    def try_to_add(self, machine):
        known = self.known()
        if known is None or machine.up:
            return
        payload = {"peerURLs": [f"http://{machine.name}:2380"], "isLearner": self.rng.random() < 0.5}
        reply = yield self.client.call(known.name, "member_add", payload)
        if reply.ok and not machine.up:
            machine.join([m["peerURLs"][0][7:-5] for m in reply.value["members"]])


@pytest.mark.parametrize("seed", range(15))
def test_no_acknowledged_write_is_lost_and_all_agree_in_the_end(seed):
    world = Troubled(seed)
    for step in range(15):
        world.write()
        if step % 6 == 0:
            world.trouble()
        world.run(0.15)
    world.net.heal()
    for _ in range(2):  # who was told to stop has done so by the second time
        for machine in world.machines:
            world.bring_back(machine)
        world.run(20)
    (leader,) = world.leaders_now()
    everyone = [m for m in world.machines if m.up and m.serving and m.id in leader.membership.members]
    assert len(everyone) == len(leader.membership.members) >= 1
    for member in everyone:
        assert member.data.store.revision == leader.data.store.revision
        assert member.data.store._versions == leader.data.store._versions
        assert member.membership.members == leader.membership.members
        assert member.raft.configuration == leader.raft.configuration
    assert world.written
    for key, revision in world.written.items():
        assert leader.data.store.get(key)["mod_revision"] == revision
