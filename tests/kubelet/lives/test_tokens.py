"""A pod's token is another in its file before the old one has expired."""

from base64 import urlsafe_b64decode
from json import loads

import pytest

from kubemini.containers import Files
from kubemini.kubelet.decide.pods.mounts import Token
from kubemini.sim.units import HOUR, SECOND
from tests.kubelet.lives.parts import Life, container, hook, pod, until

TEN_MINUTES = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
MOUNT = [{"name": "v", "mountPath": "/v"}]


def with_token(container, *before, **more):
    container["volumeMounts"] = MOUNT
    volumes = [{"name": "v", "projected": {"sources": [TEN_MINUTES]}}]
    return Life(*before, pod(container, volumes=volumes, **more), until("ready()"))


def token(life):
    """What it is now, and until when, s."""
    (sandbox,) = life.world.host.kernel.containers.of_pod.values()
    text = Files(sandbox.volumes["v"]).read("/token").decode()
    claims = text.split(".")[1]
    return text, loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]


@pytest.mark.parametrize(
    ("lasts", "good"), [(3607, 2886), (600, 480), (24 * 3600, 24 * 3600 * 80 // 100), (48 * 3600, 24 * 3600)]
)
def test_a_token_is_renewed_in_the_last_fifth_of_its_life_or_after_a_day(lasts, good):
    one = Token(b"", lasts, lasts * SECOND, 0)
    assert one.renewed_in(0) == good * SECOND and one.renewed_in(good * SECOND) == 0
    assert one._replace(sooner=9 * SECOND).renewed_in(0) == (good - 9) * SECOND
    assert one.renewed_in(-1) == 0, "it comes from the future"
    assert one.renewed_in(HOUR * 100) == 0


def test_its_file_changes_with_the_regular_turn_after_that_again_and_again():
    life = with_token(container("sleep", 3000))
    first = token(life)
    life.player.play({"sleep": 460}, 0)
    assert token(life) == first
    life.player.play({"sleep": 120}, 0)
    second = token(life)
    assert second[0] != first[0] and 470 <= second[1] - first[1] <= 580
    life.player.play({"sleep": 580}, 0)
    assert 470 <= token(life)[1] - second[1] <= 580


def test_another_kubelet_fetches_another():
    life = with_token(container("sleep", 3000))
    first = token(life)
    life.player.play(hook("kubelet-stop"), 0)
    life.player.play(hook("kubelet-start"), 0)
    life.player.play({"sleep": 20}, 0)
    assert token(life)[0] != first[0]


def test_a_pod_that_is_to_end_keeps_its_token():
    life = with_token(container("ignoreterm", 3000), terminationGracePeriodSeconds=2000)
    first = token(life)
    life.player.play({"delete": "p", "code": 200}, 0)
    life.player.play({"sleep": 620}, 0)
    assert token(life) == first


def test_if_there_is_no_other_it_stays_and_once_it_has_expired_the_kubelet_says_so():
    robot = {"create": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}, "code": 201}
    life = with_token(container("sleep", 3000), robot, serviceAccountName="robot")
    first = token(life)
    life.player.ask({"method": "DELETE", "path": "/api/v1/namespaces/life/serviceaccounts/robot"})
    life.player.play({"sleep": 590}, 0)
    assert token(life) == first and not told(life)
    life.player.play({"sleep": 200}, 0)
    (said,) = told(life)
    assert said.startswith('MountVolume.SetUp failed for volume "v" : token "robot"/"life"/[]string(nil)/600/v1.BoundO')
    assert said.endswith('"} expired and refresh failed: serviceaccounts "robot" not found')


def told(life):
    return [row[2] for row in life.player.seen.rows.get("Pod/p - kubelet", ()) if row[1] == "FailedMount"]
