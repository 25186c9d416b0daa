"""The twin itself: its clusters follow from the seed, bytes are read whole, and one record less is seen."""

import random
import socket
import struct

from kubemini.network.decide.dns.message import Question
from tests.oracles.network import dns as table
from tests.real.dns import corefiles, wire, worlds

SPACES = worlds.SPACES


def objects(seed, number):
    made = worlds.world(seed, number).values()
    return [service for service, _ in made], [one for _, slices in made for one in slices]


def test_a_cluster_and_its_questions_follow_from_the_seed():
    one, same, other = (worlds.world(*which) for which in ((7, 3), (7, 3), (8, 3)))
    assert one == same != other
    asked = [worlds.questions(random.Random(1), objects(7, 3), 50) for _ in range(2)]
    assert asked[0] == asked[1]


def test_a_cluster_has_services_of_every_kind_and_questions_of_every_answer():
    kinds, codes = set(), set()
    for number in range(12):
        services, slices = objects(1, number)
        kinds |= {(s["spec"]["type"], s["spec"].get("clusterIP") == "None") for s in services}
        mine = table.server(worlds.OPTIONS[0], services, slices, SPACES)
        for name, kind in worlds.questions(random.Random(number), (services, slices), 60):
            said = mine.ask(Question(name, kind), lambda ask: table.upstream(*table.EXAMPLE, 60, ask))
            codes.add((said.rcode, bool(said.answer)))
    assert kinds == {("ClusterIP", True), ("ClusterIP", False), ("ExternalName", False)}
    assert codes >= {("NOERROR", True), ("NOERROR", False), ("NXDOMAIN", False)}


def test_no_two_services_share_an_address():
    for number in range(20):
        services, slices = objects(2, number)
        ips = [ip for s in services for ip in s["spec"].get("clusterIPs", ()) if ip != "None"]
        ends = [e["addresses"][0] for one in slices for e in one["endpoints"]]
        assert len({*ips, *ends}) == len(ips) + len(ends)


def test_an_answer_is_read_whole_names_that_point_back_included():
    question = wire.packed("web.default.svc.cluster.local.") + struct.pack("!HH", wire.TYPES["SRV"], 1)
    target = b"\xc0\x0c"
    srv = b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 30, 6 + len(target)) + struct.pack("!HHH", 0, 100, 80) + target
    address = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + bytes([10, 96, 7, 1])
    head = struct.pack("!HHHHHH", 1, 0x8500, 1, 1, 0, 2)
    found = wire.read(head + question + srv + address + wire.LARGE)
    name = "web.default.svc.cluster.local."
    assert found == {
        "rcode": "NOERROR",
        "aa": True,
        "ra": False,
        "answer": [f"{name} 30 SRV 0 100 80 {name}"],
        "authority": [],
        "additional": [f"{name} 30 A 10.96.7.1"],
    }


def test_the_name_server_outside_says_yes_no_and_not_of_this_type():
    outside = wire.Outside(("127.0.0.1", 0), *table.EXAMPLE, 60)
    server = outside.socket.getsockname()
    for name, kind in (("api.example.com.", "A"), ("api.example.com.", "AAAA"), ("nosuch.test.", "A")):
        said = table.upstream(*table.EXAMPLE, 60, table.Ask("", table.Question(name, kind), False))
        real = wire.ask(server, name, kind, patience=60)
        assert (real["rcode"], real["ra"], len(real["answer"])) == (said.rcode, said.ra, len(said.answer))
        assert real["answer"] == [str(record) for record in said.answer]


def test_corefiles_follow_from_the_seed_and_every_rule_and_mode_of_them_can_be_read():
    names, seen = (
        ["web.default.svc.cluster.local", "api.shop.svc.cluster.local", "db.shop.svc.cluster.local", "x.y"],
        set(),
    )
    for number in range(60):
        lines = corefiles.rewrites(random.Random(number), names)
        assert lines == corefiles.rewrites(random.Random(number), names)
        table.server(worlds.OPTIONS[0], [], [], SPACES, cache="\n".join(lines))
        seen |= {word for line in lines for word in line.split()}
    assert seen >= {
        "exact",
        "prefix",
        "suffix",
        "substring",
        "regex",
        "type",
        "class",
        "ttl",
        "stop",
        "continue",
        "auto",
    }
    for mode in corefiles.STALE:
        table.server(worlds.OPTIONS[0], [], [], SPACES, cache=corefiles.CACHE.format(stale=mode))


def test_any_two_steps_of_a_script_are_far_from_whole_seconds_apart():
    for number in range(40):
        times = [step[0] for step in corefiles.script(random.Random(number), ["a", "b", "c", "d"])]
        apart = [(later - one) % 1 for n, one in enumerate(times) for later in times[n + 1 :]]
        assert all(0.05 < fraction < 0.95 for fraction in apart)


def test_the_name_server_outside_has_moods_and_answers_by_tcp_as_well():
    outside = wire.Outside(("127.0.0.1", 0), *table.EXAMPLE, 60)
    for mood in ("SERVFAIL", "NXDOMAIN", "REFUSED"):
        outside.mood = mood
        assert wire.ask(outside.socket.getsockname(), "api.example.com.", "A", patience=60)["rcode"] == mood
    question = wire.packed("api.example.com.") + struct.pack("!HH", 1, 1)
    packet = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question
    with socket.create_connection(outside.socket.getsockname()) as client:
        client.sendall(struct.pack("!H", len(packet)) + packet)
        size = struct.unpack("!H", client.recv(2))[0]
        assert wire.read(client.recv(size))["rcode"] == "REFUSED"
