"""A story in a few words, and what the watches of its player saw."""

from dataclasses import replace

from tests.oracles.kubelet.node import TOOL
from tests.oracles.kubelet.playing import Player
from tests.oracles.kubelet.seen import check


def container(*args, name="c", **more):
    return {"name": name, "image": TOOL, "args": [str(word) for word in args]} | more


def shell(text, name="c", **more):
    return container(name=name, command=["/bin/sh", "-c", text], **more)


def pod(*containers, name="p", **spec):
    spec = {"automountServiceAccountToken": False, "containers": list(containers), **spec}
    return {"create": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}, "code": 201}


def until(expression):
    return {"until": expression, "took": 30}


def hook(name, does=""):
    return {"hook": name, "does": does}


def configured(how):
    return hook("kubelet-conf", f"the kubelet is restarted with {how}")


class Life:
    """A story that has been lived."""

    def __init__(self, *steps, beside=False, **capacity):
        self.player = Player("life", True, 1, beside)
        usual = self.player.world.usual
        self.player.world.usual = replace(usual, capacity={**usual.capacity, **capacity})
        self.wrong = [found for step in steps for found in self.player.play(step, 0)]
        self.player.linger()
        found = check(self.player.seen)
        self.pods, self.events = found["pods"], found["events"]
        self.world = self.player.world

    def end(self, pod):
        """Its last phase, and the reason that it gives."""
        life = self.pods[pod]
        return life["phases"][-1], life.get("reason", [[""]])[-1][0]

    def states(self, pod="p", container="c"):
        return self.pods[pod]["containers"][container]

    def condition(self, type, pod="p"):
        return self.pods[pod]["conditions"].get(type)

    def said(self, *on):
        """(reason, message) of all Events on something."""
        return [(row[1], row[2]) for where, rows in self.events.items() if where.startswith(on) for row in rows]

    def log(self, pod="p"):
        typed = self.world.cluster.terminal.type(f"-n life logs {pod}")
        while not typed.over:
            self.world.sleep(0.1)
        return typed.out
