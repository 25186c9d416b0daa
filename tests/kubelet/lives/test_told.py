"""What a status tells of a container besides how it is."""

from tests.kubelet.lives.parts import Life, container, pod, until


def test_a_status_tells_whose_the_processes_of_a_container_are():
    others = container("sleep", 1000, name="d", securityContext={"runAsUser": 7, "runAsGroup": 8})
    groups = {"runAsUser": 1000, "supplementalGroups": [4000], "fsGroup": 3000}
    life = Life(
        pod(container("sleep", 1000)),
        pod(container("sleep", 1000), others, name="q", securityContext=groups),
        until("ready() and ready('q')"),
    )
    told = {
        name: [one["user"]["linux"] for one in versions[-1]["status"]["containerStatuses"]]
        for name, versions in life.player.seen.pods.items()
    }
    assert told["p"] == [{"uid": 0, "gid": 0, "supplementalGroups": [0]}]
    assert told["q"] == [
        {"uid": 1000, "gid": 0, "supplementalGroups": [0, 4000, 3000]},
        {"uid": 7, "gid": 8, "supplementalGroups": [8, 4000, 3000]},
    ]
    waiting = next(one for one in life.player.seen.pods["p"] if "containerStatuses" in one["status"])
    assert "user" not in waiting["status"]["containerStatuses"][0], "nobody knows before it has been made"


def test_a_status_tells_how_volumes_are_mounted_from_the_first_one_on():
    mounts = [
        {"name": "v", "mountPath": "/v"},
        {"name": "v", "mountPath": "/r", "readOnly": True},
        {"name": "v", "mountPath": "/b", "readOnly": True, "recursiveReadOnly": "IfPossible"},
    ]
    asked = pod(container("sleep", 1000, volumeMounts=mounts), volumes=[{"name": "v", "emptyDir": {}}])
    life = Life(asked, until("ready()"))
    told = [version["status"].get("containerStatuses") for version in life.player.seen.pods["p"]]
    assert {str(one[0]["volumeMounts"]) for one in told if one} == {
        str(
            [
                {"name": "v", "mountPath": "/v"},
                {"name": "v", "mountPath": "/r", "readOnly": True, "recursiveReadOnly": "Disabled"},
                {"name": "v", "mountPath": "/b", "readOnly": True, "recursiveReadOnly": "Enabled"},
            ]
        )
    }
