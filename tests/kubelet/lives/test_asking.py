"""Hooks and probes that ask for something that is not there, not that way, or not by them."""

from tests.kubelet.lives.parts import Life, container, pod, shell, until


def after_start(name, *args, **hook):
    return pod(container(*args, lifecycle={"postStart": hook}), name=name, restartPolicy="Never")


def ready_if(name, *args, **probe):
    port = {"name": "web", "containerPort": 8080}
    return pod(container(*args, ports=[port], readinessProbe=probe | {"periodSeconds": 2}), name=name)


def http(path="/healthz", **more):
    return {"httpGet": {"port": 8080, "path": path} | more}


def test_a_hook_by_http_fails_if_nobody_answers_whatever_the_answer_says_and_one_by_tcp_always():
    life = Life(
        pod(
            container("http", 8080, name="web"),
            container("sleep", 1000, lifecycle={"postStart": http("/nope")}),
            name="heard",
        ),
        after_start("closed", "sleep", 1000, httpGet={"port": 9, "path": "/x"}),
        after_start("nameless", "sleep", 1000, httpGet={"port": "web", "path": "/x"}),
        after_start("tcp", "http", 8080, tcpSocket={"port": 8080}),
        after_start("missing", "sleep", 1000, exec={"command": ["/nope"]}),
        {"sleep": 12},
    )
    failed = {
        name for name in life.pods if ("FailedPostStartHook", "PostStartHook failed") in life.said(f"Pod/{name} ")
    }
    assert failed == {"closed", "nameless", "tcp", "missing"}
    assert {life.end(name)[0] for name in failed} == {"Succeeded"}, "each is told to end"
    assert life.end("heard") == ("Running", ""), "404 is an answer too"


def test_what_a_failed_hook_says():
    life = Life(
        pod(container("sleep", 1000, lifecycle={"postStart": {"httpGet": {"port": 9, "path": "/x"}}})),
        pod(container("http", 8080, lifecycle={"postStart": {"tcpSocket": {"port": 8080}}}), name="tcp"),
        pod(container("sleep", 1000, lifecycle={"postStart": {"exec": {"command": ["/nope"]}}}), name="missing"),
        until("rc('c')>0 and rc('c','tcp')>0 and rc('c','missing')>0"),
    )
    said = {name: _why(life, name) for name in life.pods}
    assert said["p"].startswith('HTTP lifecycle hook (/x) for Container "c" in Pod "p_life(')
    assert said["p"].endswith(":9: connect: connection refused") and 'failed - error: Get "http://10.244.' in said["p"]
    assert said["tcp"] == (
        "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,"
        "TCPSocket:&TCPSocketAction{Port:{0 8080 },Host:,},Sleep:nil,}"
    )
    assert "failed - error: rpc error: code = Unknown desc = failed to exec in container: " in said["missing"]
    assert said["missing"].endswith('exec: "/nope": stat /nope: no such file or directory, message: ""')


def _why(life, name):
    """What the state of its container said first."""
    told = [one["status"].get("containerStatuses", [{}])[0].get("state", {}) for one in life.player.seen.pods[name]]
    return next(one["waiting"]["message"] for one in told if one.get("waiting", {}).get("message"))


def test_a_probe_that_cannot_ask_counts_for_nothing_and_says_that_it_errored():
    kills = {"failureThreshold": 1, "periodSeconds": 2}
    life = Life(
        pod(container("sleep", 1000, livenessProbe={"exec": {"command": ["/nope"]}} | kills), name="missing"),
        pod(container("sleep", 1000, livenessProbe={"httpGet": {"port": "web", "path": "/"}} | kills), name="nameless"),
        {"sleep": 12},
    )
    assert life.states("missing")[-1][:2] == life.states("nameless")[-1][:2] == ["running", 0]
    found = {name: dict(life.said(f"Pod/{name} "))["Unhealthy"] for name in life.pods}
    said = "Liveness probe errored and resulted in unknown state: "
    assert found["nameless"] == said + 'strconv.Atoi: parsing "web": invalid syntax'
    assert found["missing"].startswith(said + "rpc error: code = Unknown desc = failed to exec in container: ")


def test_a_probe_asks_where_it_is_told_to_and_speaks_tls_only_to_who_does():
    life = Life(
        ready_if("named", "http", 8080, **http(port="web")),
        ready_if("elsewhere", "http", 8080, **http(host="127.0.0.1")),
        ready_if("tls", "http", 8080, **http(scheme="HTTPS")),
        pod(container("http", 8080, readinessProbe=http(host="127.0.0.1")), name="node", hostNetwork=True),
        {"sleep": 15},
    )
    ready = {name: life.player.seen.ready(name) for name in life.pods}
    assert ready == {"named": True, "elsewhere": False, "tls": False, "node": True}
    assert dict(life.said("Pod/elsewhere"))["Unhealthy"].endswith(
        "dial tcp 127.0.0.1:8080: connect: connection refused"
    )
    assert dict(life.said("Pod/tls"))["Unhealthy"].endswith(": http: server gave HTTP response to HTTPS client")


def test_after_ten_texts_of_one_reason_one_event_stands_for_all_that_come():
    changes = shell("while true; do sleep 100; done")
    changes["readinessProbe"] = {"exec": {"command": ["/nope"]}, "periodSeconds": 1}
    life = Life(pod(changes), {"sleep": 30})
    told = [one for one in life.player.seen.events.values() if one["reason"] == "Unhealthy"]
    combined = [one for one in told if one["message"].startswith("(combined from similar events): ")]
    assert len(told) == 10 and len(combined) == 1 and combined[0]["count"] > 5
