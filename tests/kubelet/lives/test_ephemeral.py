"""Containers that somebody adds to a running pod to look at it: they start once, and count for nothing."""

from tests.kubelet.lives.parts import Life, container, pod, shell, until

PATH = "/api/v1/namespaces/life/pods/p/ephemeralcontainers"


def added(*containers):
    body = {"spec": {"ephemeralContainers": list(containers)}}
    merge = "application/strategic-merge-patch+json"
    return {"method": "PATCH", "path": PATH, "body": body, "contentType": merge, "code": 200}


def of(life, number=0):
    """The status of one as it was told last."""
    return life.player.seen.pods["p"][-1]["status"]["ephemeralContainerStatuses"][number]


def told_of(life):
    """Its Events up to now."""
    rows = life.player.seen.rows["Pod/p spec.ephemeralContainers{look} kubelet"]
    return [(reason, message) for _, reason, message in rows]


def test_it_runs_beside_the_others_once_and_neither_phase_nor_conditions_mind_how_it_ends():
    life = Life(pod(container("sleep", 1000)), until("ready()"), added(shell("echo seen; exit 3", name="look")))
    life.player.play({"sleep": 8}, 0)
    status = of(life)
    assert status["state"]["terminated"]["exitCode"] == 3 and status["restartCount"] == 0
    assert not status["ready"] and "started" not in status
    assert life.player.seen.ready() and life.player.seen.ph() == "Running" and life.player.seen.rc("c") == 0
    assert [reason for reason, _ in told_of(life)] == ["Pulled", "Created", "Started"], "and it is not started again"
    assert life.log("p -c look") == "seen\n"


def test_it_starts_before_an_init_container_is_done_and_while_another_cannot_be_started():
    first = pod(container("sleep", 1000), initContainers=[container("sleep", 1000, name="i")])
    life = Life(first, until("st('i') == 'running'"), added(container("sleep", 1000, name="look")), {"sleep": 5})
    assert "running" in of(life)["state"] and life.player.seen.ph() == "Pending"


def test_an_image_that_is_missing_is_tried_again_and_the_pod_goes_on():
    wrong = {**container("sleep", 1000, name="look"), "image": "registry.example.test/missing:1"}
    life = Life(pod(container("sleep", 1000)), until("ready()"), added(wrong), until("ev('BackOff') > 1"))
    assert of(life)["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert life.player.seen.ready()


def test_a_pod_does_not_wait_for_it_and_ends_it():
    life = Life(
        pod(container("crash", 6, 0), restartPolicy="Never"),
        until("ready()"),
        added(container("ignoreterm", 1000, name="look")),
        until("ph() == 'Succeeded'"),
    )
    assert of(life)["state"]["terminated"]["exitCode"] == 137
    assert ("Killing", "Stopping container look") in told_of(life)


def test_a_new_sandbox_does_not_bring_it_back_nor_does_another_kubelet_end_it():
    life = Life(pod(container("sleep", 1000)), until("ready()"), added(container("sleep", 1000, name="look")))
    life.player.play({"sleep": 4}, 0)
    life.world.kubelet.terminate()
    life.player.play({"sleep": 1}, 0)
    life.world.kubelet.start()
    life.player.play({"sleep": 4}, 0)
    assert "running" in of(life)["state"]
    life.world._kill("life", None)
    life.player.play({"sleep": 15}, 0)
    assert life.player.seen.rc("c") == 1 and "terminated" in of(life)["state"]


def test_one_whose_pod_is_gone_when_the_kubelet_returns_is_ended_with_it():
    life = Life(pod(container("sleep", 1000)), until("ready()"), added(container("sleep", 1000, name="look")))
    life.player.play({"sleep": 4}, 0)
    life.world.kubelet.terminate()
    life.player.play({"delete": "p", "grace": 0, "code": 200}, 0)
    life.world.kubelet.start()
    life.player.play({"sleep": 12}, 0)
    assert not life.world.host.kernel.containers.of_pod
