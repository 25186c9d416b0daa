"""A line in a notebook: ``get`` in every form, and what is said of a line that is not right."""

import json

import pytest

from kubemini import Cluster, kubectl
from tests.users.kubectl.worlds import WEB, Desk


@pytest.fixture(scope="module")
def desk():
    desk = Desk()
    desk.says("apply -f -", WEB)
    desk.cluster.run("10s")
    return desk


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_a_table_is_the_servers_and_kubectl_aligns_it(desk):
    head, *pods = desk.says("get pods").splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(pods) == 2 and {line.index("1/1") for line in pods} == {head.index("READY")}


def test_wide_shows_more_columns_and_no_headers_shows_none(desk):
    assert rows(desk.says("get pods -o wide"))[0][5:7] == ["IP", "NODE"]
    assert [row[0] for row in rows(desk.says("get deploy --no-headers"))] == ["web"]


def test_several_kinds_are_shown_each_with_its_own_header(desk):
    shown = desk.says("get deploy,rs")
    assert shown.count("NAME ") == 2 and "\n\n" in shown and "deployment.apps/web" in shown


def test_all_is_a_category_of_the_server(desk):
    kinds = {row[0].partition("/")[0] for row in rows(desk.says("get all --no-headers"))}
    assert kinds == {"pod", "deployment.apps", "replicaset.apps"}


def test_a_jsonpath_walks_ranges_filters_and_slices(desk):
    names = json.loads(desk.says("get pods -o json"))["items"]
    names = [pod["metadata"]["name"] for pod in names]
    assert desk.says("get pods -o jsonpath='{.items[*].metadata.name}'") == " ".join(names)
    each = '{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'
    assert desk.says(f"get pods -o jsonpath='{each}'") == "".join(f"{name}\tRunning\n" for name in names)
    assert desk.says("get pods -o jsonpath='{.items[-1:].metadata.name}'") == names[-1]
    one = f'{{.items[?(@.metadata.name=="{names[1]}")].status.phase}}'
    assert desk.says(f"get pods -o jsonpath='{one}'") == "Running"


def test_custom_columns_say_none_where_there_is_nothing(desk):
    shown = rows(desk.says("get deploy -o custom-columns=N:.metadata.name,X:.spec.nope"))
    assert shown == [["N", "X"], ["web", "<none>"]]


def test_yaml_and_names_are_objects_in_other_forms(desk):
    assert desk.says("get deploy web -o yaml").startswith("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n")
    assert "managedFields" not in desk.says("get deploy web -o yaml")
    assert desk.says("get deploy -o name") == "deployment.apps/web\n"


def test_what_is_not_there_is_said_in_the_servers_words(desk):
    assert desk.complains("get pod nope") == 'Error from server (NotFound): pods "nope" not found\n'
    assert desk.complains("get nothings") == 'error: the server doesn\'t have a resource type "nothings"\n'
    assert desk.type("get cm -n nowhere").err == "No resources found in nowhere namespace.\n"


@pytest.mark.parametrize(
    "line, said",
    [
        ("get pods --nope", "error: unknown flag: --nope\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -Z", "error: unknown shorthand flag: 'Z' in -Z\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -o", "error: flag needs an argument: 'o' in -o\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -o jsonpath={", "error: error parsing jsonpath {, unclosed action\n"),
        ("get pods a/b", "error: there is no need to specify a resource type as a separate argument"),
        ("get pod -l a=b x", "error: name cannot be provided when a selector is specified\n"),
        ("auth foo", "error: unknown command \"foo\"\nSee 'kubectl auth -h' for help and examples\n"),
        ("get 'pods", "error: the line cannot be read: No closing quotation; close every quote\n"),
        ("get pods | grep web", "error: a line is one kubectl"),
        ("frobnicate", 'error: unknown command "frobnicate" for "kubectl"\n'),
    ],
)
def test_a_line_that_is_not_right_is_answered_in_one_sentence(desk, line, said):
    assert desk.complains(line).startswith(said)


def test_a_watch_tells_each_change_and_is_ended_when_its_time_is_over(desk):
    cluster = Cluster.single()
    cluster.run("10s")
    kubectl(cluster, "apply -f -", WEB)
    watched = kubectl(cluster, "get pods -w", time="20s")
    assert watched.status == 130
    states = [row[2] for row in rows(watched.out)[1:]]
    assert states[0] == "Pending" and states[-1] == "Running" and "ContainerCreating" in states


def test_nobody_who_answers_is_said_as_kubectl_says_it():
    cluster = Cluster.single()
    cluster.run("10s")
    cluster.components["apiserver-1"].crash()
    typed = kubectl(cluster, "get pods")
    assert typed.status == 1 and "was refused - did you specify the right host or port?" in typed.err


def test_a_scenario_is_run_to_an_instant_and_asked_there():
    assert "worker-1" in kubectl("first", "get nodes", at="15s").out


def test_a_cluster_without_an_api_server_is_refused():
    with pytest.raises(ValueError, match="has no API server"):
        kubectl("etcd-3", "get pods", at="1s")


def test_two_lines_at_once_learn_of_each_resource_once():
    cluster = Desk().cluster
    both = [cluster.terminal.type(f"get {what}") for what in ("deploy", "pods")]
    cluster.run("2s")
    assert all(typed.over for typed in both)
    resources = cluster.terminal.known.resources
    assert resources and len(set(resources)) == len(resources)
