"""kubectl 1.37, unmodified, at the door: what it prints, and that it goes on while the cluster is broken under it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.serve.doors import LONG, Served
from tests.users.kubectl.worlds import WEB

pytestmark = pytest.mark.needs("kubectl")
KUBECTL = Path(__file__).resolve().parents[3] / ".venv/bin/kubectl"


class Kubectl:
    """kubectl with the kubeconfig of a door, and nothing else of the machine."""

    def __init__(self, served, folder):
        self.served = served
        self.environment = {"KUBECONFIG": str(served.kubeconfig), "HOME": str(folder), "PATH": os.defpath}

    def run(self, line, given=""):
        """What came of ``kubectl LINE``: standard output, error and status."""
        words = [str(KUBECTL), *line.split()]
        return subprocess.run(words, input=given, capture_output=True, text=True, env=self.environment, timeout=LONG)

    def says(self, line, given=""):
        """What it prints when all is well."""
        done = self.run(line, given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def complains(self, line, given=""):
        """What it says when it is not."""
        done = self.run(line, given)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def complains_not(self, line, given=""):
        """What ``diff`` prints of a difference: its status is 1, and nothing is wrong."""
        done = self.run(line, given)
        assert (done.returncode, done.stderr) == (1, "")
        return done.stdout

    def open(self, line):
        """A kubectl that goes on, such as ``get -w``."""
        return subprocess.Popen([str(KUBECTL), *line.split()], stdout=subprocess.PIPE, text=True, env=self.environment)

    def as_json(self, line):
        return json.loads(self.says(f"{line} -o json"))


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("single")
    with Served(folder, "--workers", "2") as served:
        yield Kubectl(served, folder)


def rows(text):
    """A printed table as lists of cells."""
    return [line.split() for line in text.splitlines()]


def test_it_finds_a_server_of_its_own_version(kubectl):
    assert "Server Version: v1.37.2" in kubectl.says("version")
    assert "is running at" in kubectl.says("cluster-info")


def test_api_resources_lists_what_there_is_with_its_short_names(kubectl):
    listed = {tuple(row) for row in rows(kubectl.says("api-resources --no-headers"))}
    assert ("deployments", "deploy", "apps/v1", "true", "Deployment") in listed
    assert ("nodes", "no", "v1", "false", "Node") in listed
    assert "apps/v1" in kubectl.says("api-versions").splitlines()


def test_a_deployment_becomes_pods_that_are_seen_in_every_form(kubectl):
    assert kubectl.says("create deployment shown --image=nginx --replicas=2") == "deployment.apps/shown created\n"
    assert "successfully rolled out" in kubectl.says(f"rollout status deployment/shown --timeout={LONG}s")
    (row,) = rows(kubectl.says("get deploy shown --no-headers"))
    assert row[:4] == ["shown", "2/2", "2", "2"]
    names = kubectl.says("get pods -l app=shown -o jsonpath={.items[*].metadata.name}").split()
    assert len(names) == 2
    assert kubectl.says("get pods -l app=shown -o name").split() == [f"pod/{name}" for name in names]
    columns = kubectl.says("get pods -l app=shown --no-headers -o custom-columns=N:.spec.nodeName")
    assert set(columns.split()) <= {"worker-1", "worker-2"}
    described = kubectl.says("describe deployment shown")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described


def test_what_is_scaled_and_labelled_is_changed(kubectl):
    kubectl.says("create deployment grown --image=nginx")
    assert kubectl.says("scale deployment grown --replicas=3") == "deployment.apps/grown scaled\n"
    kubectl.says(f"rollout status deployment/grown --timeout={LONG}s")
    assert kubectl.says("label deployment grown tier=front") == "deployment.apps/grown labeled\n"
    found = kubectl.as_json("get deployment grown")
    assert found["spec"]["replicas"] == 3 and found["metadata"]["labels"]["tier"] == "front"


def test_an_applied_manifest_is_made_left_alone_and_changed(kubectl):
    manifest = WEB.replace("web", "applied")
    assert kubectl.says("apply -f -", manifest) == "deployment.apps/applied created\n"
    assert kubectl.says("apply -f -", manifest) == "deployment.apps/applied unchanged\n"
    changed = manifest.replace("replicas: 2", "replicas: 1")
    assert kubectl.says("apply -f -", changed) == "deployment.apps/applied configured\n"
    assert kubectl.as_json("get deployment applied")["spec"]["replicas"] == 1


def test_a_field_that_is_misspelt_is_named_and_nothing_is_changed(kubectl):
    wrong = WEB.replace("web", "misspelt").replace("replicas", "replica")
    assert 'unknown field "spec.replica"' in kubectl.complains("apply -f -", wrong)
    kubectl.complains("get deployment misspelt")


def test_a_diff_shows_what_an_apply_would_change(kubectl):
    manifest = WEB.replace("web", "differing")
    kubectl.says("apply -f -", manifest)
    assert kubectl.says("diff -f -", manifest) == ""
    shown = kubectl.complains_not("diff -f -", manifest.replace("replicas: 2", "replicas: 5"))
    assert "-  replicas: 2\n+  replicas: 5\n" in shown


def test_explain_reads_the_types_of_fields(kubectl):
    shown = rows(kubectl.says("explain deployment.spec"))
    assert ["replicas", "<integer>"] in shown and ["template", "<PodTemplateSpec>", "-required-"] in shown
    assert "    Number of desired pods. This is a pointer to distinguish between explicit\n" in kubectl.says(
        "explain deployment.spec"
    )


def test_a_node_is_drained_and_takes_pods_again(kubectl):
    assert kubectl.says("cordon worker-2") == "node/worker-2 cordoned\n"
    assert "SchedulingDisabled" in kubectl.says("get node worker-2 --no-headers")
    assert "node/worker-2 drained" in kubectl.says("drain worker-2 --ignore-daemonsets --force")
    assert kubectl.says("uncordon worker-2") == "node/worker-2 uncordoned\n"


def test_an_apply_on_the_servers_side_names_the_conflict(kubectl):
    manifest = WEB.replace("web", "owned")
    apply = "apply --server-side -f -"
    assert kubectl.says(apply, manifest) == "deployment.apps/owned serverside-applied\n"
    other = kubectl.complains(f"{apply} --field-manager=other", manifest.replace("replicas: 2", "replicas: 1"))
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in other


def test_what_it_deletes_is_gone(kubectl):
    kubectl.says("create configmap short --from-literal=k=v")
    assert kubectl.says("get cm short -o jsonpath={.data.k}") == "v"
    assert kubectl.says("delete configmap short") == 'configmap "short" deleted from default namespace\n'
    assert kubectl.complains("get configmap short") == 'Error from server (NotFound): configmaps "short" not found\n'


def test_a_patch_of_each_type_is_taken(kubectl):
    kubectl.says("create configmap patched --from-literal=k=v")
    for type, patch in (
        ("merge", '{"data":{"merged":"1"}}'),
        ("json", '[{"op":"add","path":"/data/added","value":"2"}]'),
        ("strategic", '{"data":{"strategic":"3"}}'),
    ):
        assert kubectl.says(f"patch configmap patched --type={type} -p {patch}") == "configmap/patched patched\n"
    assert set(kubectl.as_json("get configmap patched")["data"]) == {"k", "merged", "added", "strategic"}


def test_who_may_what_is_answered_for_oneself_and_for_others(kubectl):
    assert kubectl.says("auth can-i delete pods") == "yes\n"
    assert kubectl.run("auth can-i delete pods --as=nobody").stdout == "no\n"
    assert "kubernetes-admin" in kubectl.says("auth whoami")
    refused = kubectl.complains("get pods --as=nobody")
    assert refused.startswith('Error from server (Forbidden): pods is forbidden: User "nobody" cannot list resource')


def test_a_watch_prints_each_change_as_it_comes(kubectl):
    kubectl.says("create configmap first --from-literal=k=v")
    with kubectl.open("get configmap first -w --no-headers -o name") as watching:
        assert watching.stdout.readline() == "configmap/first\n"
        for value in ("1", "2"):
            kubectl.says(f"label --overwrite configmap first n={value}")
            assert watching.stdout.readline() == "configmap/first\n"
        watching.terminate()


@pytest.mark.parametrize(
    "line", ["get nothings", "get pods no-such-pod", "delete deployment no-such", "get -f nowhere.yaml"]
)
def test_what_is_not_there_is_said_to_be_so(kubectl, line):
    assert "error" in kubectl.complains(line).lower()


def test_a_watch_at_one_server_outlives_the_crash_of_another_and_the_balancer_finds_a_third(tmp_path):
    with Served(tmp_path, "--topology", "stacked", "--workers", "0") as served:
        kubectl = Kubectl(served, tmp_path)
        kubectl.says("create configmap seen --from-literal=k=v")
        with kubectl.open("--context apiserver-1 get configmap seen -w --no-headers -o name") as watching:
            assert watching.stdout.readline() == "configmap/seen\n"
            assert served.type("crash apiserver-2") == "kubemini: crash apiserver-2\n"
            refused = kubectl.complains("--context apiserver-2 get configmap seen")
            assert "was refused - did you specify the right host or port?" in refused
            patiently(kubectl, "label configmap seen n=1")
            assert watching.stdout.readline() == "configmap/seen\n"
            assert served.type("restart apiserver-2") == "kubemini: restart apiserver-2\n"
            patiently(kubectl, "--context apiserver-2 get configmap seen")
            watching.terminate()


def patiently(kubectl, line):
    """What somebody does whose request meets a server that has just gone: ask again."""
    for _ in range(1000):
        done = kubectl.run(line)
        if done.returncode == 0:
            return
    raise AssertionError(done.stderr)
