"""Failures are values: the Status body, the words of the real API server, and whether it certainly did not happen."""

import pytest

from kubemini.api import errors, kinds
from kubemini.api.errors import FieldError
from kubemini.apiserver import served
from kubemini.apiserver.decide.access.attributes import Attributes, forbidden
from kubemini.apiserver.decide.access.users import UserInfo

POD, DEPLOYMENT = kinds.POD, kinds.DEPLOYMENT
USER = UserInfo("u")
BAD = FieldError("FieldValueRequired", "spec.selector", "Required value")
WORSE = FieldError("FieldValueInvalid", "spec.replicas", "Invalid value: -1: must be greater than or equal to 0")

TEXTS = [  # (error, code, reason, message)
    (errors.not_found(POD, "x"), 404, "NotFound", 'pods "x" not found'),
    (errors.not_found(DEPLOYMENT, "x"), 404, "NotFound", 'deployments.apps "x" not found'),
    (errors.no_such_path(), 404, "NotFound", "the server could not find the requested resource"),
    (errors.already_exists(DEPLOYMENT, "x"), 409, "AlreadyExists", 'deployments.apps "x" already exists'),
    (
        errors.already_exists(POD, "x", being_deleted=True),
        409,
        "AlreadyExists",
        'object is being deleted: pods "x" already exists',
    ),
    (
        errors.conflict(DEPLOYMENT, "x"),
        409,
        "Conflict",
        'Operation cannot be fulfilled on deployments.apps "x": the object has been modified; please apply your '
        "changes to the latest version and try again",
    ),
    (
        errors.precondition_failed(POD, "x", "UID", "A", "B"),
        409,
        "Conflict",
        'Operation cannot be fulfilled on Pod "x": the UID in the precondition (A) does not match the UID in record '
        "(B). The object might have been deleted and then recreated",
    ),
    (
        errors.invalid(DEPLOYMENT, "x", [BAD]),
        422,
        "Invalid",
        'Deployment.apps "x" is invalid: spec.selector: Required value',
    ),
    (
        errors.invalid(POD, "x", [BAD, WORSE]),
        422,
        "Invalid",
        'Pod "x" is invalid: [spec.selector: Required value, spec.replicas: Invalid value: -1: must be greater than or '
        "equal to 0]",
    ),
    (
        forbidden(Attributes(USER, "list", "", "pods", namespace="ns")),
        403,
        "Forbidden",
        'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "ns"',
    ),
    (
        forbidden(Attributes(USER, "get", "apps", "deployments", "scale", name="x")),
        403,
        "Forbidden",
        'deployments.apps "x" is forbidden: User "u" cannot get resource "deployments/scale" in API group "apps" at '
        "the cluster scope",
    ),
    (
        errors.namespace_terminating(POD, "x", "shop"),
        403,
        "Forbidden",
        'pods "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
    ),
    (errors.unauthorized(), 401, "Unauthorized", "Unauthorized"),
    (errors.expired(), 410, "Expired", "The resourceVersion for the provided watch is too old."),
    (errors.too_old(5, 146), 410, "Expired", "too old resource version: 5 (146)"),
    (errors.too_large(9, 5), 504, "Timeout", "Timeout: Too large resource version: 9, current: 5"),
    (
        errors.timeout(),
        504,
        "Timeout",
        "Timeout: request did not complete within requested timeout - context deadline exceeded",
    ),
    (
        errors.read_timeout(DEPLOYMENT, "x"),
        504,
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request "
        "(get deployments.apps x)",
    ),
    (errors.cache_not_ready(0), 429, "TooManyRequests", "storage is (re)initializing"),
    (errors.from_etcd("etcdserver: request timed out"), 500, "", "etcdserver: request timed out"),
]


@pytest.mark.parametrize("error, code, reason, message", TEXTS, ids=[text[3][:40] for text in TEXTS])
def test_an_error_speaks_as_the_real_server(error, code, reason, message):
    assert (error.code, error.reason, error.message) == (code, reason, message)


def test_the_status_body_is_what_kubectl_reads():
    assert errors.not_found(DEPLOYMENT, "x").status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "x" not found',
        "reason": "NotFound",
        "details": {"name": "x", "group": "apps", "kind": "deployments"},
        "code": 404,
    }
    assert "reason" not in errors.from_etcd("etcdserver: no leader").status()


def test_the_causes_of_invalid_name_each_field():
    causes = errors.invalid(POD, "x", [BAD]).status()["details"]["causes"]
    assert causes == [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"}]


def test_an_error_survives_the_wire():
    for error in (errors.conflict(POD, "x"), errors.invalid(POD, "x", [BAD]), errors.cache_not_ready(0)):
        assert errors.from_status(error.status()) == error


def test_a_deadline_is_indefinite_and_a_conflict_is_definite():
    assert errors.conflict(POD, "x").definite and errors.not_found(POD, "x").definite
    assert not errors.timeout().definite
    assert not errors.from_etcd("etcdserver: request timed out").definite
    assert errors.from_etcd("etcdserver: no leader", definite=True).definite


def test_kubectl_prints_an_error_of_etcd_in_etcds_words():
    assert str(errors.from_etcd("etcdserver: request timed out")) == (
        "Error from server: etcdserver: request timed out"
    )
    assert str(errors.not_found(POD, "x")) == 'Error from server (NotFound): pods "x" not found'


def test_the_longer_a_cache_is_empty_the_later_to_come_back():
    assert [errors.cache_not_ready(seconds).retry_after for seconds in (0, 30, 600)] == [1, 6, 30]
    assert errors.conflict(POD, "x").retry_after == 0


def test_a_kind_is_found_by_every_name_kubectl_users_know():
    for name in ("Pod", "pod", "pods", "po", "PO"):
        assert kinds.by_name(name) is POD
    assert kinds.by_name("deployments.apps") is DEPLOYMENT and kinds.by_name("ns") is kinds.NAMESPACE
    with pytest.raises(ValueError, match=r"^no kind is called 'pood'; close to it: pod; kubectl api-resources lists"):
        kinds.by_name("pood")
    with pytest.raises(ValueError, match=r"^no kind is called 'a/b/c'; kubectl api-resources lists all$"):
        kinds.by_name("a/b/c")


def test_etcd_keeps_objects_where_the_real_server_puts_them():
    assert POD.key("default", "web-1") == "/registry/pods/default/web-1"
    assert kinds.SERVICE.key("shop", "web") == "/registry/services/specs/shop/web"
    assert kinds.NODE.key(name="worker-1") == "/registry/minions/worker-1"
    assert kinds.LEASE.key("kube-system") == "/registry/leases/kube-system/"
    assert POD.key() == "/registry/pods/"


def test_no_two_kinds_share_a_prefix_or_a_name():
    own = [kind for kind in kinds.served().values() if served.of(kind).stored_as is None]  # no second version
    prefixes = [kind.key() for kind in own]
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]
    spoken = [n for k in own for n in {k.kind.lower(), k.plural, k.singular, *k.short_names}]
    assert len(spoken) == len(set(spoken))
