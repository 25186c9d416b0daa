"""To add a command, one touches one file: here is such a file, and everybody knows the command at once."""

import pytest

from kubemini import faults, run, session
from kubemini.__main__ import main
from kubemini.commands import ACTIONS, Command, argument, command
from kubemini.commands.arguments import HOST, SHARE
from kubemini.scenarios import load
from kubemini.sim import Trace


@pytest.fixture
def unplug():
    @command("unplug")
    class Unplug(Command):
        """Every link of the host loses a share of its packets."""

        host: str = argument(HOST)
        share: float = argument(SHARE, default=1)

        def do(self, cluster):
            for other in cluster.hosts:
                if other != self.host:
                    cluster.net.set_loss(self.host, other, self.share)

    yield Unplug
    del ACTIONS["unplug"]


def deeds(trace):
    return [(r.actor, r.detail["action"], r.detail["args"]) for r in trace.of("command")]


def test_a_new_command_works_in_a_scenario(unplug):
    story = {
        "title": "Unplugged",
        "topology": {"kind": "etcd", "members": 3},
        "faults": [["1s", "unplug", "etcd-host-1", 0.5]],
        "until": "2s",
    }
    trace = run(story)
    assert deeds(trace) == [("scenario", "unplug", ["etcd-host-1", 0.5])] and trace.of("loss")
    assert load(story).faults == (("1s", "unplug", "etcd-host-1", 0.5),)


def test_a_new_command_works_on_the_command_line(unplug, tmp_path, capsys):
    file = tmp_path / "trace.jsonl"
    typed = ["run", "etcd-3", "--until", "2s", "--command", "1s,unplug,etcd-host-2", "--trace", str(file)]
    assert main(typed) == 0
    assert deeds(Trace.from_jsonl(file.read_text())) == [("you", "unplug", ["etcd-host-2", 1])]


def test_a_new_command_works_in_a_widget(unplug):
    spec = {"scenario": "etcd-3", "until": 2, "commands": [[1, "unplug", "etcd-host-3"]]}
    assert session.handle({"op": "simulate", "id": 1, "spec": spec})["op"] == "trace"
    wrong = {**spec, "commands": [[1, "unplug", "etcd-host-9"]]}
    error = session.handle({"op": "simulate", "id": 2, "spec": wrong})["error"]
    assert error.startswith("'etcd-host-9' is not a host of this cluster; there are: etcd-host-1")


def test_a_new_command_has_its_arguments_checked_by_their_kinds(unplug):
    with pytest.raises(faults.FaultError, match=r"unplug: share: expected a share from 0 to 1, got 2"):
        faults.Unplug("etcd-host-1", 2)
    with pytest.raises(faults.FaultError, match=r"unplug takes host \[share\], got 0"):
        faults.parse(["1s", "unplug"])


def test_two_commands_cannot_have_one_name(unplug):
    with pytest.raises(AssertionError, match="two commands are called unplug"):
        command("unplug")(type("Other", (Command,), {}))
