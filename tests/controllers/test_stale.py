"""A controller sees only its cache: while that stands still, it acts on what was, and is refused what has changed."""

from kubemini.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from kubemini.api.objects import freeze
from kubemini.client import Discovery, Informers
from kubemini.controllers.decide.workloads import replicaset
from kubemini.controllers.decide.workloads.deployment import controller as deployment
from kubemini.controllers.reconcile import Reconciler, facts_of
from tests.worlds.kube import World

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
META = {"name": "web", "namespace": "default"}
SPEC = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
WEB = freeze({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": META, "spec": SPEC})


def at_work(world, seen):
    """Both controllers in a program of their own; what it sees is in *seen*."""

    def begin(program):
        informers = seen["informers"] = Informers(program.client)
        controllers = (deployment.CONTROLLER, replicaset.CONTROLLER)
        facts = facts_of(informers, controllers, Discovery(program.client))
        seen["queues"] = [Reconciler(program.client, informers, facts, one) for one in controllers]
        informers.start(lambda: [one.start() for one in seen["queues"]])

    return world.program("controllers", begin=begin)


def scale(world, replicas):
    body = {"spec": {"replicas": replicas}}
    assert world.ask(lambda client: client.patch(DEPLOYMENT, "web", "default", body)).ok


def pods(world):
    return len(world.ask(lambda client: client.list(POD)).value["items"])


def test_with_a_stale_cache_it_writes_on_old_versions_and_is_refused_until_the_cache_catches_up():
    world, seen = World(), {}
    at_work(world, seen)
    assert world.ask(lambda client: client.create(WEB)).ok
    world.run(2)
    assert pods(world) == 2
    stale = seen["informers"].of(REPLICA_SET)
    stale.stop()  # its watch says no more: the cache stands still
    (old,) = stale.objects.values()
    scale(world, 3)
    world.run(2)
    scale(world, 5)
    world.run(2)
    (now,) = world.ask(lambda client: client.list(REPLICA_SET)).value["items"]
    assert now["spec"]["replicas"] == 3 and old["spec"]["replicas"] == 2, (
        "the second write met a version it had not seen"
    )
    assert seen["queues"][0].queue.failures[("default", "web")] > 3, "it is refused, and comes back"
    assert pods(world) == 2, "nobody has told the ReplicaSet controller"
    stale._task = None
    stale.start()
    world.run(30)
    assert pods(world) == 5


def test_a_replicaset_is_not_looked_at_while_a_cache_is_older_than_its_own_writes():
    world, seen = World(), {}
    at_work(world, seen)
    seen["informers"].of(POD)
    world.run(1)
    seen["informers"].of(POD).stop()
    assert world.ask(lambda client: client.create(WEB)).ok
    world.run(20)
    assert pods(world) == 2, "it does not make them again"
    said = [record.detail["text"] for record in world.sim.trace.of("log")]
    assert any("is not as new as written version" in text for text in said)
