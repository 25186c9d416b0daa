"""Programs in pods that others wait for: a webhook, which the API server asks by its Service, and a hook by HTTP."""

from kubemini.api.kinds import CONFIG_MAP
from kubemini.api.kinds import POD as POD_KIND
from kubemini.api.objects import freeze
from kubemini.cluster import Cluster
from kubemini.containers import Answer
from kubemini.params import Params
from kubemini.sim.units import SECOND
from tests.worlds.kube import Shop

CERTS = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "certs"},
    "stringData": {"tls.crt": "c", "tls.key": "k"},
}
ARGS = ["webhook", "--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key", "--port=8444"]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "hook", "labels": {"app": "hook"}},
    "spec": {
        "volumes": [{"name": "certs", "secret": {"secretName": "certs"}}],
        "containers": [
            {"name": "c", "image": "agnhost", "args": ARGS, "volumeMounts": [{"name": "certs", "mountPath": "/certs"}]}
        ],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "hook"},
    "spec": {"selector": {"app": "hook"}, "ports": [{"port": 443, "targetPort": 8444}]},
}


def hook(**client):
    service = {"namespace": "default", "name": "hook", "path": "/configmaps"}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    said = {"name": "h.x.io", "rules": [rule], "clientConfig": {"service": service, **client}}
    said |= {"sideEffects": "None", "admissionReviewVersions": ["v1"]}
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**meta, "metadata": {"name": "h"}, "webhooks": [said]}


def outcome(shop, name, value):
    """What becomes of a new ConfigMap."""
    meta, user = {"name": name, "namespace": "default"}, shop.cluster.user
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"webhook-e2e-test": value}}
    user.spawn(user.request("POST", CONFIG_MAP.path("default"), freeze(body)))
    shop.run(2)
    return str(shop.sim.trace.of("request", user.name)[-1].detail)


def asked(**client):
    details = Params(kubelet_details=True)
    shop = Shop(*map(freeze, (CERTS, POD, SERVICE, hook(**client))), cluster=Cluster.single(workers=1, params=details))
    shop.run(20)
    return outcome(shop, "a", "webhook-disallow"), outcome(shop, "b", "x")


def test_a_program_in_a_pod_refuses_what_it_does_not_want_and_no_more():
    denied, allowed = asked(caBundle="Y2E=")
    assert 'admission webhook "h.x.io" denied the request: the configmap contains unwanted key and value' in denied
    assert "'outcome': 'ok'" in allowed


def test_who_names_no_bundle_of_certificates_trusts_no_pod():
    assert all("certificate signed by unknown authority" in said for said in asked())


def test_a_pod_on_its_way_out_is_asked_as_long_as_it_serves_and_nobody_is_ready():
    spec = {**POD["spec"], "terminationGracePeriodSeconds": 90}
    [container] = spec["containers"]
    leaving = {
        **POD,
        "spec": {**spec, "containers": [{**container, "lifecycle": {"preStop": {"sleep": {"seconds": 30}}}}]},
    }
    objects = map(freeze, (CERTS, leaving, SERVICE, hook(caBundle="Y2E=")))
    shop = Shop(*objects, cluster=Cluster.single(workers=1, params=Params(kubelet_details=True)))
    shop.run(20)
    shop.ask("DELETE", POD_KIND.path("default", POD["metadata"]["name"]))
    shop.run(5)
    assert "denied the request: the configmap contains unwanted key" in outcome(shop, "a", "webhook-disallow")
    shop.run(90)
    assert "connect: connection refused" in outcome(shop, "b", "webhook-disallow")


def test_a_hook_by_http_takes_as_long_as_its_answer_and_ends_with_the_program_that_was_to_give_it():
    hook_ = {"httpGet": {"port": 8080, "path": "/"}}
    container = {"name": "c", "image": "slow", "ports": [{"containerPort": 8080}], "lifecycle": {"postStart": hook_}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "slow"}, "spec": {"containers": [container]}}
    cluster = Cluster.single(workers=1, params=Params(kubelet_details=True))
    cluster.use_program("slow", lambda request: Answer(200, b"", delay=20 * SECOND))
    shop = Shop(freeze(pod), cluster=cluster)

    def state():
        return shop.all(POD_KIND)[0]["status"]["containerStatuses"][0]

    shop.run(10)
    assert "waiting" in state()["state"]
    (sandbox,) = cluster.hosts["worker-1"].kernel.containers.of_pod.values()
    next(iter(sandbox.lives.values())).inside.signal("KILL")
    shop.run(10)
    assert state()["restartCount"] == 0 and "PostStartHookError" in str(state())
    shop.run(40)
    assert state()["restartCount"] == 1 and "running" in state()["state"]


def test_a_hook_by_http_is_over_when_its_answer_is_there_and_that_may_take_time():
    hook_ = {"httpGet": {"port": 8080, "path": "/shell?shellCommand=sleep+20"}}
    container = {"name": "c", "image": "agnhost", "args": ["netexec"], "lifecycle": {"preStop": hook_}}
    spec = {"terminationGracePeriodSeconds": 60, "containers": [container]}
    slow = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "slow"}, "spec": spec}
    shop = Shop(freeze(slow), cluster=Cluster.single(workers=1, params=Params(kubelet_details=True)))
    shop.run(10)
    shop.ask("DELETE", POD_KIND.path("default", "slow"))
    shop.run(17)
    assert [pod["metadata"]["name"] for pod in shop.all(POD_KIND)] == ["slow"]
    shop.run(7)
    assert shop.all(POD_KIND) == []
