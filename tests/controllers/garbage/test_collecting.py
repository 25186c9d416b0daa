"""The garbage collector at work on an API server, on ConfigMaps that own each other; in a cluster: `test_gone`."""

from kubemini.api.kinds import CONFIG_MAP, NODE, by_gvk
from kubemini.api.objects import evolve, freeze
from kubemini.client import Discovery, Informers
from kubemini.controllers.collector import GarbageCollector
from kubemini.controllers.decide.garbage import collecting
from tests.controllers.garbage.test_graph import ref
from tests.worlds.kube import World


class Garbage(World):
    """A world with a garbage collector."""

    def __init__(self):
        super().__init__()
        self.program("collector", begin=self._begin)
        self.run(1)

    def _begin(self, program):
        informers = Informers(program.client)
        self.collector = GarbageCollector(program.client, informers, Discovery(program.client))
        informers.start(self.collector.start)

    def make(self, name, *owners, kind="ConfigMap", **meta):
        """A new object that names *owners*."""
        references = [owner if "uid" in owner else ref(owner, blockOwnerDeletion=True) for owner in owners]
        meta = {"name": name, "ownerReferences": references, **meta}
        meta |= {} if kind == "Node" else {"namespace": "default"}
        made = self.ask(lambda client: client.create(freeze({"apiVersion": "v1", "kind": kind, "metadata": meta})))
        assert made.ok, made
        return made.value

    def delete(self, name, policy):
        assert self.ask(lambda client: client.delete(CONFIG_MAP, name, "default", propagationPolicy=policy)).ok
        self.run(1)

    def free(self, name):
        """Take its finalizers off."""
        body = {"metadata": {"finalizers": None}}
        assert self.ask(lambda client: client.patch(CONFIG_MAP, name, "default", body)).ok
        self.run(1)

    def get(self, name):
        reply = self.ask(lambda client: client.get(CONFIG_MAP, name, "default"))
        return reply.value if reply.ok else None

    @property
    def there(self):
        listed = self.ask(lambda client: client.list(CONFIG_MAP, "default")).value["items"]
        return [obj["metadata"]["name"] for obj in listed if obj["metadata"]["name"] != "kube-root-ca.crt"]

    def owners(self, name):
        return [one["name"] for one in self.get(name)["metadata"].get("ownerReferences") or ()]


def a_chain(world):
    owner = world.make("owner")
    world.make("grandchild", world.make("child", owner))


def test_an_owner_that_waits_waits_for_who_comes_late_only_if_it_still_waits_for_others():
    world = Garbage()
    owner = world.make("owner")
    world.make("child", owner, finalizers=["example.com/hold"])
    world.delete("owner", "Foreground")
    world.make("late", owner)
    world.run(2)
    assert world.there == ["child", "late", "owner"]  # nobody looks at it before something changes
    world.free("child")
    assert world.there == []


def test_who_has_another_owner_stays_and_forgets_the_one_that_goes():
    world = Garbage()
    one, two = world.make("one"), world.make("two")
    world.make("child", one, two)
    world.delete("one", "Foreground")
    assert world.there == ["child", "two"] and world.owners("child") == ["two"]
    world.delete("two", "Background")
    assert world.there == []


def test_a_finalizer_that_holds_it_says_how_it_goes():
    world = Garbage()
    owner = world.make("owner")
    child = world.make("child", owner, finalizers=["orphan"])
    world.make("grandchild", child)
    world.delete("owner", "Background")
    assert world.there == ["grandchild"] and world.owners("grandchild") == []


def test_without_an_owner_of_that_uid_name_or_namespace_one_goes_and_without_its_kind_one_stays():
    world = Garbage()
    owner = world.make("owner")
    nobody = ref(owner, uid="00000000-0000-4000-8000-000000000001")
    world.make("of-nobody", nobody)
    world.make("of-another-name", ref(owner, name="x"))
    world.make("of-no-kind", ref(owner, kind="Nothing", apiVersion="example.com/v1"))
    world.run(3)
    assert world.there == ["of-no-kind", "owner"]


def test_a_cluster_s_object_owns_one_of_a_namespace_but_not_the_other_way_round():
    world = Garbage()
    node = world.make("n1", kind="Node")
    world.make("of-node", node)
    world.make("n2", ref(world.make("owner")), kind="Node")
    world.run(3)
    assert "of-node" in world.there
    assert world.ask(lambda client: client.get(NODE, "n2")).ok  # nobody can tell: it stays


def test_an_object_that_changes_while_it_is_looked_at_goes_all_the_same():
    world = Garbage()
    child = world.make("child", world.make("owner"))
    node = world.collector.graph.nodes[child["metadata"]["uid"]]
    world.ask(lambda client: client.update(evolve(world.get("child"), ("data",), {"x": "1"})))
    old = iter([child])
    answer = world.collector._answer

    def late(step):
        reply = yield from answer(step)
        stale = next(old, None) if type(step).__name__ == "Read" and step.key[1] == "child" else None
        return reply if stale is None else type(reply)(stale)

    failed = []
    world.collector._answer, world.collector.suspects.retry = late, failed.append
    world.delete("owner", "Background")
    assert world.there == [] and node.identity.uid not in world.collector.graph.nodes
    assert failed == []  # it was deleted as it is now, at once


def test_what_is_seen_only_by_others_costs_nothing_once_all_is_as_it_should_be():
    world = Garbage()
    a_chain(world)
    world.run(2)
    assert not world.collector.suspects.waiting and not world.collector.suspects.failures
    asked = len(world.sim.trace.of("object"))
    world.run(60)
    assert len(world.sim.trace.of("object")) == asked


def test_all_that_an_orphaning_owner_has_forget_it_at_once():
    world = Garbage()
    owner = world.make("owner")
    for number in range(3):
        world.make(f"child-{number}", owner)
    world.run(1)
    look = collecting.orphan(world.collector.graph.nodes[owner["metadata"]["uid"]], by_gvk)
    asked = [next(part) for part in next(look).parts]
    assert sorted(step.path.rsplit("/", 1)[1] for step in asked) == [f"child-{number}" for number in range(3)]
    assert {step.verb for step in asked} == {"PATCH"}


def test_orphans_have_forgotten_their_owner_when_it_goes():
    world = Garbage()
    owner = world.make("owner")
    for number in range(3):
        world.make(f"child-{number}", owner)
    world.delete("owner", "Orphan")
    assert world.there == [f"child-{number}" for number in range(3)]
    assert [world.owners(f"child-{number}") for number in range(3)] == [[]] * 3
