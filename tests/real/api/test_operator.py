"""An operator written with kopf does its work at the door: it creates, updates and finalizes, through a crash."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.doors import CONFIG_MAPS, Served

pytestmark = pytest.mark.needs("kopf", "kubernetes")
OPERATOR = Path(__file__).with_name("operator_of_maps.py")
SECRETS = "/api/v1/namespaces/default/secrets"


class Running:
    """The operator, for as long as the `with` block lasts; it talks to the balancer."""

    def __init__(self, served, folder):
        environment = {**os.environ, "KUBECONFIG": str(served.kubeconfig), "HOME": str(folder)}
        words = [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", str(OPERATOR)]
        self.log = (folder / "operator.log").open("w")
        self.process = subprocess.Popen(words, env=environment, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def heard(served, path, wanted):
    """Listen to *path* until an event is *wanted*."""
    with served.watch(path, "apiserver-1") as watch:
        for line in watch:
            event = json.loads(line)
            if wanted(event["type"], event["object"]):
                return event["object"]
    raise AssertionError("the watch has ended before it came")


def value(secret):
    return base64.b64decode(secret["data"]["from"]).decode()


def test_an_operator_creates_updates_and_finalizes_though_its_server_crashes(tmp_path):
    with Served(tmp_path, "--topology", "stacked", "--workers", "0") as served, Running(served, tmp_path):
        body = {"metadata": {"name": "kept", "labels": {"secret": "wanted"}}, "data": {"k": "one"}}
        assert served.ask(CONFIG_MAPS, "POST", body, door="apiserver-1").code == 201
        made = heard(served, SECRETS, lambda type, obj: obj["metadata"]["name"] == "kept")
        assert value(made) == "one" and made["metadata"]["ownerReferences"][0]["kind"] == "ConfigMap"
        for name in ("apiserver-2", "apiserver-3"):
            assert served.type(f"crash {name}") == f"kubemini: crash {name}\n"
        patch = {"Content-Type": "application/merge-patch+json"}
        served.ask(f"{CONFIG_MAPS}/kept", "PATCH", {"data": {"k": "two"}}, patch, door="apiserver-1")
        heard(served, SECRETS, lambda type, obj: obj["metadata"]["name"] == "kept" and value(obj) == "two")
        finalizers = served.ask(f"{CONFIG_MAPS}/kept", door="apiserver-1").json["metadata"]["finalizers"]
        assert finalizers == ["kopf.zalando.org/KopfFinalizerMarker"]
        served.ask(f"{CONFIG_MAPS}/kept", "DELETE", door="apiserver-1")
        while served.ask(f"{CONFIG_MAPS}/kept", door="apiserver-1").code != 404:
            pass
        assert served.ask(f"{SECRETS}/kept", door="apiserver-1").code == 404
