"""Who owns whom: what news make of the graph, and whom it suspects."""

from kubemini.api.objects import evolve, freeze
from kubemini.controllers.decide.garbage.graph import FOREGROUND, ORPHAN, REMEMBERED, Absent, Graph, identity_of


def an_object(name, *owners, kind="ConfigMap", namespace="default", uid=None, **meta):
    """An object that names *owners*: each another one, or a reference."""
    references = [ref(owner) if "metadata" in owner else owner for owner in owners]
    where = {"namespace": namespace} if namespace else {}
    meta = {"name": name, "uid": uid or f"uid-{name}", **where, "ownerReferences": references, **meta}
    return freeze({"apiVersion": "v1", "kind": kind, "metadata": meta})


def ref(owner, **changes):
    meta = owner["metadata"]
    return {"apiVersion": "v1", "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"], **changes}


OWNER = an_object("owner")


class Heard(Graph):
    """A graph that has heard of these, and whom nobody has looked at yet."""

    def __init__(self, *objects):
        super().__init__()
        self.hear(*objects)

    def hear(self, *objects):
        """These have come; the names of those that are suspected for it."""
        for obj in objects:
            self.seen(None, obj)
        return self.taken()

    def taken(self):
        found, self.suspects = [node.identity.name for node in self.suspects], []
        return found


def test_an_owner_that_is_there_raises_no_suspicion():
    assert Heard().hear(OWNER, an_object("child", OWNER)) == []


def test_an_owner_that_nobody_has_seen_is_looked_for_until_it_is_seen():
    graph = Heard()
    assert graph.hear(an_object("child", OWNER)) == ["owner"]
    virtual = graph.nodes["uid-owner"]
    assert virtual.virtual and graph.hear(OWNER) == []
    assert graph.nodes["uid-owner"] is virtual and not virtual.virtual


def test_when_the_owner_goes_those_it_owned_are_suspected_and_nobody_asks_for_it_again():
    graph = Heard(OWNER, an_object("child", OWNER))
    graph.gone(OWNER)
    assert graph.taken() == ["child"] and identity_of(OWNER) in graph.absent
    graph.gone(OWNER)  # nobody knows it any more
    assert graph.taken() == []


def test_an_owner_that_the_api_server_does_not_know_is_gone():
    graph = Heard(an_object("child", OWNER))
    graph.not_there(identity_of(OWNER))
    assert graph.taken() == ["child"] and identity_of(OWNER) in graph.absent


def test_who_names_an_owner_of_another_namespace_is_suspected_and_an_event_says_so():
    far = an_object("owner", namespace="far")
    graph = Heard(far)
    assert graph.hear(an_object("child", far)) == ["child"]
    (told,) = graph.told
    where = "[v1/ConfigMap, namespace: default, name: owner, uid: uid-owner]"
    assert told.message == f'ownerRef {where} does not exist in namespace "default"'
    assert (told.type, told.reason, told.obj["metadata"]["name"]) == ("Warning", "OwnerRefInvalidNamespace", "child")


def test_the_same_is_told_when_the_owner_is_seen_after_the_child():
    far = an_object("owner", namespace="far")
    graph = Heard(an_object("child", far))
    assert graph.hear(far) == ["child"] and len(graph.told) == 1


def test_a_reference_with_another_name_or_kind_is_doubtful_and_a_cluster_s_object_may_own_any():
    for change in ({"name": "x"}, {"kind": "Secret"}, {"apiVersion": "v2"}):
        assert Heard(OWNER).hear(an_object("child", ref(OWNER, **change))) == ["child"]
    node = an_object("n1", kind="Node", namespace="")
    graph = Heard(node)
    assert graph.hear(an_object("child", node)) == [] and graph.told == []


def test_of_a_uid_under_two_names_each_is_looked_for_and_only_those_of_the_absent_one_are_suspected():
    right, wrong = ref(OWNER), ref(OWNER, name="another")
    graph = Heard(an_object("a", wrong), an_object("b", right))
    graph.not_there(identity_of(an_object("another", uid="uid-owner")))
    assert graph.taken() == ["a"]
    (later,) = graph.later
    assert later.identity.name == "owner" and graph.nodes["uid-owner"] is later
    graph.later.clear()
    assert graph.hear(OWNER) == [] and not graph.nodes["uid-owner"].virtual


def test_a_reference_that_is_new_counts_and_one_that_is_taken_off_frees_the_owner():
    child = an_object("child", ref(OWNER, blockOwnerDeletion=True))
    graph = Heard(OWNER, child)
    free = evolve(child, ("metadata", "ownerReferences"), [ref(OWNER, blockOwnerDeletion=False)])
    graph.seen(child, free)
    assert graph.taken() == ["owner"] and graph.nodes["uid-owner"].blocking() == []
    none = evolve(child, ("metadata", "ownerReferences"), [])
    graph.seen(free, none)
    assert graph.taken() == [] and not graph.nodes["uid-owner"].dependents
    graph.seen(none, child)
    assert [node.identity.name for node in graph.nodes["uid-owner"].blocking()] == ["child"]


def leaving(obj, finalizer):
    meta = {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer]}
    return freeze({**obj, "metadata": meta})


def test_who_begins_to_wait_is_looked_at_with_those_it_owns_and_who_orphans_by_itself():
    graph = Heard(OWNER, an_object("child", OWNER))
    waiting = leaving(OWNER, FOREGROUND)
    graph.seen(OWNER, waiting)
    assert graph.taken() == ["child", "owner"] and graph.nodes["uid-owner"].waits
    graph.seen(waiting, waiting)
    assert graph.taken() == []
    graph.gone(an_object("child", OWNER))
    assert graph.taken() == ["owner"]  # it may be free now
    other = an_object("other")
    graph.hear(other)
    graph.seen(other, leaving(other, ORPHAN))
    assert graph.taken() == [] and [node.identity.name for node in graph.orphaners] == ["other"]


def test_the_absent_are_remembered_and_those_that_were_asked_for_last_the_longest():
    absent, some = Absent(), [identity_of(an_object(f"o{n}")) for n in range(REMEMBERED + 1)]
    for identity in some[:-1]:
        absent.add(identity)
    assert some[0] in absent  # asked for: the newest now
    absent.add(some[-1])
    assert some[0] in absent and some[1] not in absent and some[-1] in absent
