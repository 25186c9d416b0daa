"""Who shows nothing may do nothing: on every path that the server describes, by every method, but health and version.

The real one, asked the same, says 403 to all the rest, also to HEAD and OPTIONS of the open paths.
"""

import itertools
import json

import pytest

from tests.apiserver.outside.asking import Outside

OPEN = ("/healthz", "/livez", "/readyz", "/version", "/version/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
VALUES = {"namespace": "default", "name": "one", "path": "a", "logpath": "a"}
FORBIDDEN = b"system:anonymous"


@pytest.fixture(scope="module")
def outside():
    return Outside()


def paths(outside):
    """Every path of OpenAPI, its variables filled in, and those that it does not describe."""
    described = json.loads(outside.ask("GET", "/openapi/v2").body)["paths"]
    beside = ("/", "/api", "/apis", "/openapi/v2", "/openapi/v3", "/metrics", "/logs", "/debug/pprof", "/livez/etcd")
    return sorted({path.format(**VALUES) for path in described} | {*beside, *OPEN})


def test_a_stranger_is_refused_on_every_path_by_every_method_but_for_health_and_version(outside):
    asked = [*itertools.product(paths(outside), METHODS)]
    assert len(asked) > 3000
    found = {(method, path): outside.ask(method, path, token="") for path, method in asked}
    let_in = [one for one, answer in found.items() if answer.status != 403 or FORBIDDEN not in answer.body]
    assert let_in == [(method, path) for path, method in itertools.product(sorted(OPEN), ("GET",))]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/pods/../secrets", "//api/v1/secrets", "/livez/../api", "/version/api", "/api%2fv1", "/version?x=/api"],
)
def test_no_other_spelling_of_a_path_lets_a_stranger_in(outside, path):
    found = outside.ask("GET", path, token="")
    assert found.status == (200 if path.startswith("/version?") else 403)


@pytest.mark.parametrize("header", ["Impersonate_User", "X_Remote_User", "X_Remote_Group"])
def test_no_header_makes_somebody_of_a_stranger(outside, header):
    found = outside.ask("GET", "/api/v1/secrets", token="", **{header: "admin"})
    assert found.status == 403 and FORBIDDEN in found.body


@pytest.mark.parametrize(
    "path",
    ["secrets?watch=1", "namespaces/default/pods/one/exec?command=sh", "nodes/n/proxy/", "namespaces/a/pods/b/log"],
)
def test_watches_and_connections_of_strangers_are_refused_too(outside, path):
    assert outside.ask("GET", f"/api/v1/{path}", token="").status == 403
