"""`kubectl get componentstatuses`: the server goes and looks at the programs of its machine, and at etcd."""

import pytest

from tests.apiserver.deeds.parts import outside
from tests.apiserver.life.test_health import get
from tests.apiserver.outside.asking import header
from tests.worlds.kube import World

STATUSES = "/api/v1/componentstatuses"
ADDRESS = {"controller-manager": "127.0.0.1:10257", "scheduler": "127.0.0.1:10259"}


@pytest.fixture
def world():
    found = World()
    for name in ADDRESS:
        found.program(f"{name}-1", host=found.hosts[0])
    return found


def seen(world):
    """name → its condition, without its type."""
    _, reply = get(world, STATUSES)
    conditions = {one["metadata"]["name"]: one["conditions"][0] for one in reply.value["items"]}
    return {name: {key: value for key, value in one.items() if key != "type"} for name, one in conditions.items()}


def sick(name, why):
    return {"status": "False", "message": f'Get "https://{ADDRESS[name]}/healthz": {why}'}


WELL = {"status": "True", "message": "ok"}


def test_all_are_well_where_all_run(world):
    assert seen(world) == {"controller-manager": WELL, "scheduler": WELL, "etcd-0": WELL}


def test_nobody_listens_where_there_is_no_such_program():
    refused = {name: sick(name, f"dial tcp {at}: connect: connection refused") for name, at in ADDRESS.items()}
    assert seen(World()) == {**refused, "etcd-0": WELL}


def test_nobody_listens_where_a_program_is_dead(world):
    world.programs["scheduler-1"].crash()
    refused = sick("scheduler", f"dial tcp {ADDRESS['scheduler']}: connect: connection refused")
    assert seen(world) == {"controller-manager": WELL, "scheduler": refused, "etcd-0": WELL}


def test_a_program_that_hangs_is_waited_for_as_long_as_a_handshake_may_take(world):
    world.programs["controller-manager-1"].pause()
    took, _ = get(world, STATUSES)
    assert 10 <= took < 11
    assert seen(world)["controller-manager"] == sick("controller-manager", "net/http: TLS handshake timeout")


def test_one_alone_is_looked_at_and_nobody_else(world):
    world.programs["controller-manager-1"].pause()
    took, reply = get(world, f"{STATUSES}/scheduler")
    assert took < 1 and reply.value["conditions"] == [{"type": "Healthy", **WELL}]


def test_etcd_that_does_not_answer_is_waited_for_longer(world):
    world.etcd.pause()
    took, reply = get(world, f"{STATUSES}/etcd-0")
    assert 20 <= took < 21
    assert reply.value["conditions"][0]["status"] == "False"
    assert reply.value["conditions"][0]["error"].endswith("context deadline exceeded")


def test_nobody_can_watch_them_and_all_are_warned_of_them():
    refused = outside().ask("GET", f"{STATUSES}?watch=true")
    assert (
        refused.status == 405 and b'watch is not supported on resources of kind \\"componentstatuses\\"' in refused.body
    )
    assert header(refused, "Warning") == '299 - "v1 ComponentStatus is deprecated in v1.19+"'
    assert outside().ask("GET", "/api/v1/watch/componentstatuses").status == 404


def test_who_is_not_known_is_not_found_by_the_name_that_the_real_one_says(world):
    _, reply = get(world, f"{STATUSES}/kubelet")
    assert (reply.error.code, reply.error.message) == (404, 'componentstatus "kubelet" not found')
