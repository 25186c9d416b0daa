"""An operator as anybody writes one with kopf: it keeps a Secret for each ConfigMap that asks for one."""

import kopf
from kubernetes import client, config

config.load_kube_config()
LABEL = {"secret": "wanted"}


@kopf.on.startup()
def settle(settings, **_):
    """It serves one built-in kind in one namespace: no need to watch for new kinds."""
    settings.scanning.disabled = True


@kopf.on.create("configmaps", labels=LABEL)
def made(name, namespace, body, **_):
    """A ConfigMap is new: it gets a Secret, which belongs to it."""
    secret = {"metadata": {"name": name}, "stringData": {"from": body["data"]["k"]}}
    kopf.adopt(secret, owner=body)
    client.CoreV1Api().create_namespaced_secret(namespace, secret)


@kopf.on.update("configmaps", field="data", labels=LABEL)
def changed(name, namespace, new, **_):
    """It has changed, and so does its Secret."""
    client.CoreV1Api().patch_namespaced_secret(name, namespace, {"stringData": {"from": new["k"]}})


@kopf.on.delete("configmaps", labels=LABEL)
def gone(name, namespace, **_):
    """It shall go: its Secret goes first."""
    client.CoreV1Api().delete_namespaced_secret(name, namespace)
