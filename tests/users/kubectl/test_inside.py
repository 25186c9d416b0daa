"""Into a container: its log, and a command in it, through the API server and the kubelet."""

import pytest

from tests.users.kubectl.worlds import WEB, Desk


@pytest.fixture
def desk():
    desk = Desk()
    desk.says("apply -f -", WEB)
    desk.cluster.run("20s")
    desk.pod = desk.says("get pods -o name").split()[0].removeprefix("pod/")
    return desk


def test_a_log_is_what_the_container_wrote(desk):
    assert desk.says(f"logs {desk.pod}").splitlines()[0] == "nginx:1.29 starts as process 1 of c"
    assert desk.says(f"logs {desk.pod} --tail=1").count("\n") == 1
    both = desk.type("logs deploy/web --prefix")
    assert both.err.startswith("Found 2 pods, using pod/web-") and both.out.startswith("[pod/web-")


def test_a_log_that_is_followed_goes_on_until_its_time_is_over(desk):
    assert desk.type(f"logs {desk.pod} -f", time="5s").status == 130


def test_a_command_runs_in_the_container_and_its_status_is_ours(desk):
    assert desk.says(f"exec {desk.pod} -- hostname") == f"{desk.pod}\n"
    assert desk.says(f"exec -i {desk.pod} -- cat", "what is said\n") == "what is said\n"
    assert desk.type(f"exec {desk.pod} -- sh -c false").err == "command terminated with exit code 1\n"


@pytest.mark.parametrize("url", ["http://[::1", "http://a:b/"])
def test_a_page_without_a_place_is_not_fetched(desk, url):
    assert "wget: bad " in desk.complains(f"exec {desk.pod} -- wget -qO- {url}")


def test_what_is_not_there_is_said_in_the_real_words(desk):
    missing = 'exec: "nope": executable file not found in $PATH'
    assert missing in desk.complains(f"exec {desk.pod} -- nope")
    assert desk.complains("exec nope -- ls") == 'Error from server (NotFound): pods "nope" not found\n'
    told = f"error: container x is not valid for pod {desk.pod} out of: c\n"
    assert desk.complains(f"exec {desk.pod} -c x -- ls") == desk.complains(f"logs {desk.pod} -c x") == told
    inline = "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
    assert desk.complains(f"exec {desk.pod} ls").startswith(inline)


def test_a_kubelet_that_is_dead_is_said_to_be_so(desk):
    node = desk.says(f"get pod {desk.pod} -o jsonpath={{.spec.nodeName}}")
    desk.cluster.components[f"kubelet@{node}"].crash()
    assert "connection refused" in desk.complains(f"logs {desk.pod}")
    assert "connection refused" in desk.complains(f"exec {desk.pod} -- hostname")
