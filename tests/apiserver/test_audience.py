"""Of those who watch a kind, each hears what he asks for, in the order in which they came; others are not asked."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from kubemini.api import fields, labels
from kubemini.api.kinds import POD
from kubemini.api.objects import freeze
from kubemini.apiserver.caching.audience import Audience, CacheWatcher
from kubemini.apiserver.caching.changes import ADDED, DELETED, MODIFIED, CachedChange, event
from kubemini.apiserver.caching.selection import Selection
from tests.apiserver.parts import Listener
from tests.worlds.kube import World

NODES = ("", "n1", "n2")
FIELDS = (
    "",
    "spec.nodeName=n1",
    "spec.nodeName=n2",
    "spec.nodeName!=n1",
    "metadata.name=a",
    "status.phase=,metadata.name=b",
)


def selection(namespace, by_field, by_label):
    if not (namespace or by_field or by_label):
        return None
    return Selection(namespace, fields.parse(by_field), labels.parse(by_label))


def pod(name, namespace, node, app):
    meta = {"name": name, "namespace": namespace, "labels": {"app": app}, "resourceVersion": "1"}
    return freeze({"metadata": meta, "spec": {"nodeName": node}})


SELECTIONS = st.builds(
    selection, st.sampled_from(["", "x", "y"]), st.sampled_from(FIELDS), st.sampled_from(["", "app=1"])
)
PLACES = st.tuples(st.sampled_from("ab"), st.sampled_from("xy"))
STATES = st.tuples(st.sampled_from(NODES), st.sampled_from("12"))
CHANGES = st.lists(st.tuples(PLACES, st.none() | STATES, st.none() | STATES), min_size=1, max_size=4)


def changed(entries, revision):
    for place, before, after in entries:
        old, new = [pod(*place, *state) if state else None for state in (before, after)]
        if old or new:
            type = DELETED if new is None else MODIFIED if old else ADDED
            yield CachedChange(0, revision, type, old, new or old, event(type, new or old))


class Heard:
    """A client's end, that notes who hears what."""

    def __init__(self, name, told):
        self.stream = SimpleNamespace(push=lambda said: told.append((name, said)))


@given(st.lists(SELECTIONS, max_size=8), st.sets(st.integers(0, 7)), st.lists(CHANGES, min_size=1, max_size=3))
def test_everybody_hears_what_he_would_hear_if_all_were_asked(selections, leaving, batches):
    audience, told, wanted = Audience(), [], []
    calls = [Heard(number, told) for number in range(len(selections))]
    for call, picked in zip(calls, selections, strict=True):
        audience.add(CacheWatcher(call, 0, False), picked)
    for at, batch in enumerate(batches):
        if at == 1:
            assert [audience.remove(calls[number]) for number in leaving if number < len(calls)].count(False) == 0
        changes = [*changed(batch, at + 1)]
        audience.tell(changes)
        for number, picked in enumerate(selections):
            if at == 0 or number not in leaving:
                heard = [change.seen_through(picked) for change in changes]
                wanted += [(number, said) for said in heard if said is not None]
    assert told == wanted


def test_a_watcher_of_another_node_is_not_asked():
    asked = []
    audience = Audience()
    for number in range(3):
        picked = selection("", f"spec.nodeName=n{number}", "")
        audience.add(CacheWatcher(Heard(number, asked), 0, False), picked)
    [change] = changed([(("a", "x"), None, ("n1", "1"))], 1)
    assert [group.place for group in audience._concerned([change])] == [("spec.nodeName", "n1")]


def test_a_write_counts_those_who_may_have_to_be_told_but_no_watchers_of_a_node():
    audience = Audience("spec.nodeName")
    asked = [None, selection("x", "", ""), selection("y", "", ""), selection("x", "metadata.name=a", "app=1")]
    asked += [selection("", f"spec.nodeName={node}", "") for node in ("", "n1", "n2")]
    for number, picked in enumerate(asked):
        audience.add(CacheWatcher(Heard(number, []), 0, False), picked)
    everybody_and_unbound = 2
    assert audience.interested("z", "a") == everybody_and_unbound
    assert audience.interested("x", "") == everybody_and_unbound + 1
    assert audience.interested("x", "a") == everybody_and_unbound + 2


def test_of_pods_the_kubelets_are_not_counted():
    world = World()
    for node in ("n1", "n2"):
        Listener(world, POD, name=node, fieldSelector=f"spec.nodeName={node}")
    Listener(world, POD, name="scheduler", fieldSelector="spec.nodeName!=n3")
    audience = world.servers[0].core.cache(POD).audience
    assert len(audience) == 3 and audience.interested("default", "a") == 1


def test_nothing_is_kept_of_those_who_have_left():
    audience, call = Audience(), Heard(0, [])
    for picked in (None, selection("x", "", ""), selection("", "spec.nodeName=n1", "")):
        audience.add(CacheWatcher(call, 0, False), picked)
        assert len(audience) == 1 and audience.remove(call) and not audience.remove(call)
    assert not audience and not audience._unfiled
    assert not any(audience._filed.values()) and not any(audience._counted.values())
