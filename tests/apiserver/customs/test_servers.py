"""A kind that is defined at one API server, at the others, and after a crash."""

import json

from kubemini.apiserver.http import Exchange, HttpRequest
from kubemini.cluster import Cluster
from kubemini.cluster.topology import build
from kubemini.sim.units import SECOND
from tests.apiserver.customs.parts import DEFINITIONS, definition

BOATS = "/apis/boats.example.com/v1/namespaces/default/boats"


def ask(cluster, server, method, path, body=None):
    """Status and value of the answer of one server."""
    answers = []
    data = b"" if body is None else json.dumps(body).encode()
    asked = HttpRequest(method, path, (("Content-Type", "application/json"),), data)
    Exchange(cluster.components[server], asked, answers.append)
    cluster.sim.run_until(cluster.sim.now + 5 * SECOND)
    return answers[0].status, answers[0].body


def test_every_server_serves_what_is_defined_at_one_and_does_so_again_after_a_crash():
    cluster = Cluster(build("stacked"))
    cluster.start()
    cluster.sim.run_until(60 * SECOND)
    assert ask(cluster, "apiserver-1", "POST", DEFINITIONS, definition("boats", "Boat"))[0] == 201
    boat = {"apiVersion": "boats.example.com/v1", "kind": "Boat", "metadata": {"name": "a"}}
    assert ask(cluster, "apiserver-2", "POST", BOATS, boat)[0] == 201
    assert ask(cluster, "apiserver-3", "GET", f"{BOATS}/a")[0] == 200
    status = json.loads(ask(cluster, "apiserver-3", "GET", f"{DEFINITIONS}/boats.boats.example.com")[1])["status"]
    assert [one["type"] for one in status["conditions"]] == ["NamesAccepted", "Established"]
    cluster.components["apiserver-2"].crash()
    cluster.components["apiserver-2"].start()
    cluster.sim.run_until(cluster.sim.now + 30 * SECOND)
    assert ask(cluster, "apiserver-2", "GET", f"{BOATS}/a")[0] == 200


def test_two_worlds_in_one_process_do_not_know_each_others_kinds():
    worlds = [Cluster(build("single")) for _ in range(2)]
    for world in worlds:
        world.start()
        world.sim.run_until(60 * SECOND)
    assert ask(worlds[0], "apiserver-1", "POST", DEFINITIONS, definition("boats", "Boat"))[0] == 201
    found = [ask(world, "apiserver-1", "GET", BOATS)[0] for world in worlds]
    assert found == [200, 404]
