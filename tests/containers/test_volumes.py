"""What lies in volumes that the kubelet fills: tokens, trust anchors, modes for a group."""

from base64 import b64encode

import pytest

from kubemini.api.objects import freeze
from kubemini.containers import Files
from kubemini.kubelet.decide.pods import mounts
from kubemini.kubelet.decide.users import identity
from tests.kubelet.parts import pod


def pem(*ders):
    blocks = (b64encode(der).decode() for der in ders)
    return "".join(f"-----BEGIN CERTIFICATE-----\n{block}\n-----END CERTIFICATE-----\n" for block in blocks)


def bundle(name, text, signer="", **labels):
    return freeze({"metadata": {"name": name, "labels": labels}, "spec": {"signerName": signer, "trustBundle": text}})


BUNDLES = (
    bundle("one", pem(b"a", b"b"), "x.io/s", alive="yes"),
    bundle("two", pem(b"b", b"c"), "x.io/s", alive="no"),
    bundle("three", pem(b"d"), "y.io/s"),
)


def anchors(**wanted):
    volume = freeze({"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"path": "ca", **wanted}}]}})
    folder = mounts.contents(pod(), volume, {(mounts.BUNDLE, "ca"): BUNDLES}, 0)
    return Files(folder).read("/ca").decode()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"name": "three"}, pem(b"d")),
        ({"name": "four", "optional": True}, ""),
        ({"signerName": "x.io/s", "labelSelector": {}}, pem(b"a", b"b", b"c")),
        ({"signerName": "x.io/s", "labelSelector": {"matchLabels": {"alive": "no"}}}, pem(b"b", b"c")),
        ({"signerName": "x.io/s", "optional": True}, ""),  # no selector picks nothing, an empty one all
    ],
)
def test_trust_anchors_of_several_bundles_stand_once_each(wanted, found):
    assert anchors(**wanted) == found


@pytest.mark.parametrize("wanted", [{"name": "four"}, {"signerName": "x.io/s"}])
def test_a_volume_waits_for_bundles_that_are_not_optional(wanted):
    with pytest.raises(mounts.Missing):
        anchors(**wanted)


def test_a_token_is_what_the_server_has_given():
    volume = freeze({"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}})
    folder = mounts.contents(pod(), volume, {(mounts.TOKEN, "token"): b"e.y.J"}, 0)
    assert Files(folder).read("/token") == b"e.y.J"


def test_the_group_of_a_pods_files_may_read_what_the_api_gives_and_write_to_the_rest():
    mine = pod(securityContext={"fsGroup": 1001})
    secret = freeze({"name": "v", "secret": {"secretName": "s", "defaultMode": 0o400}})
    found = {("secret", "s"): freeze({"data": {"k": b64encode(b"v").decode()}})}
    assert Files(mounts.contents(mine, secret, found, 0)).find("/k").mode == 0o440
    assert Files(mounts.contents(pod(), secret, found, 0)).find("/k").mode == 0o400
    empty = freeze({"name": "e", "emptyDir": {}})
    assert mounts.contents(mine, empty, {}, 0).mode == 0o2777 and mounts.contents(pod(), empty, {}, 0).mode == 0o777


def test_a_container_is_whom_it_says_or_whom_its_pod_says_or_its_image():
    mine = pod(securityContext={"runAsUser": 1000, "fsGroup": 3000, "supplementalGroups": [4000]})
    container = mine["spec"]["containers"][0]
    assert identity(mine, container, "") == (1000, (0, 4000, 3000))
    own = freeze({**container, "securityContext": {"runAsUser": 7, "runAsGroup": 8}})
    assert identity(mine, own, "") == (7, (8, 4000, 3000))
    assert identity(pod(), container, "65535") == (65535, (0,)) and identity(pod(), container, "app") == (0, (0,))
