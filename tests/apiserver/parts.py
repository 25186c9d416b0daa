"""Small objects, and short words for what tests of the API server ask and hear."""

from random import Random

from kubemini.api.kinds import CONFIG_MAP, SERVICE
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.allocation.cidrs import Known
from tests.worlds.kube import World


def config(name="a", namespace="default", **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data or {"x": "1"},
    }


def pod(name="web-1", **spec):
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    spec = {"containers": [{"name": "web", "image": "shop/web:1.0"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def service(name="web", **spec):
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def deployment(name="web", replicas=2):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def pool(*cidrs, **more):
    """What there is to give to a Service, in a cluster of these ranges."""
    known = Known(cidrs or ("10.96.0.0/16",))
    return services.Pool(**{"known": known, "node_ports": (30_000, 32_767), "rng": Random(1), **more})


def with_addresses(obj: Obj):
    """*obj* as it is before it is judged: a Service with its addresses, or why it has none; others as they are."""
    return services.allocated(obj, None, pool()) if obj["kind"] == SERVICE.kind else obj


def done(reply):
    assert reply.ok, reply.error
    return reply.value


def refusal(reply):
    assert not reply.ok, reply.value
    return reply.error.code, reply.error.message


def version(obj):
    return int(obj["metadata"]["resourceVersion"])


class Listener:
    """What one watch says."""

    def __init__(self, world, kind, version="", server="apiserver-1", name="listener", **query):
        self.items, self.ended = [], []
        program = world.programs.get(name) or world.program(name, [server])
        self.program = program
        self.stream = program.client.watch(kind, self.items.append, self.ended.append, resourceVersion=version, **query)
        world.run(0.1)

    def heard(self):
        return [(item["type"], item["object"]["metadata"].get("name", "")) for item in self.items]


def carry_out(client, deed, name, n):
    if deed == "create":
        return client.create(config(name, n=str(n)))
    if deed == "patch":
        return client.patch(CONFIG_MAP, name, "default", {"data": {"n": str(n)}})
    return client.delete(CONFIG_MAP, name, "default")


def shop():
    """A server that holds one object of a few kinds."""
    world = World()
    for body in (config(), pod(), deployment(), service()):
        done(world.ask(lambda c, body=body: c.create(body)))
    return world


def asked(world, verb, path, query=None, body=None):
    """The refusal, and proof that nothing was changed and nothing of ours raised."""
    before = world.etcd.data.store.revision
    said = refusal(world.ask(lambda c: c.request(verb, path, body, query)))
    assert world.etcd.data.store.revision == before
    assert panics(world) == []
    return said


def panics(world):
    return [r.detail["text"] for r in world.sim.trace.of("note") if "panic" in r.detail["text"]]
