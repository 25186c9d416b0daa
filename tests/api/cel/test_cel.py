"""CEL: every expression compiles, is refused, gives a value or fails as a kube-apiserver 1.37.2 said it does."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.api.cel import Refusal, admission, compiled
from kubemini.api.cel.expression import BUDGET
from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.nodes import Problem
from kubemini.api.cel.parser import parse
from kubemini.api.cel.types import BOOL, DYN, INT, STRING, Type, list_of
from kubemini.api.cel.values import CelError

FILE = Path(__file__).parents[2] / "oracles" / "kubernetes" / "cel.json.gz"
RECORDED = json.loads(gzip.decompress(FILE.read_bytes()))
COMPILE, RUN = RECORDED["compile"], RECORDED["run"]
OTHERWISE = {"! ", "- ", "a.in", "in"}  # how a generated parser finds its way out of nonsense is not repeated here
KIND, RESOURCE = {"group": "", "version": "v1", "kind": "ConfigMap"}, {"group": "", "version": "v1"}
VALUES = {
    "object": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "default", "labels": {"l": "p"}, "uid": "u"},
        "data": {"x": "1"},
    },
    "oldObject": None,
    "request": {
        "kind": KIND,
        "resource": {**RESOURCE, "resource": "configmaps"},
        "name": "c",
        "namespace": "default",
        "operation": "CREATE",
        "userInfo": {"username": "admin", "groups": ["system:masters", "system:authenticated"]},
        "dryRun": True,
    },
    "namespaceObject": {
        "metadata": {"name": "default", "labels": {"kubernetes.io/metadata.name": "default"}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    },
}
SCOPE = admission.scope()


@pytest.mark.parametrize(("text", "refused"), [row for row in COMPILE if row[0] not in OTHERWISE])
def test_an_expression_is_refused_in_the_words_of_the_real_server(text, refused):
    try:
        found = compiled(text, SCOPE, BOOL) and ""
    except Refusal as refusal:
        found = str(refusal)
    assert found == refused


@pytest.mark.parametrize(("text", "wanted"), RUN)
def test_an_expression_gives_the_value_or_fails_in_the_words_of_the_real_server(text, wanted):
    try:
        compiled(f"[{text}].size() == 99", SCOPE).run(VALUES)
        shown = compiled(f"'=' + '%s'.format([[{text}]])", SCOPE) if wanted[0] == "=" else None
        found = shown.run(VALUES) if shown else "false"
    except CelError as error:
        found = str(error)
    assert found == wanted


def test_a_schema_says_which_fields_there_are():
    scope = {"self": Type("object", fields={"min": INT, "names": list_of(STRING)})}
    assert compiled("self.min > 1 && self.names.all(n, n.startsWith('a'))", scope, BOOL).run(
        {"self": {"min": 2, "names": ["ab"]}}
    )
    with pytest.raises(Refusal, match="undefined field 'max'"):
        compiled("self.max", scope)


def test_the_authorizer_is_asked_with_all_that_the_expression_says():
    asked = []
    may = Question(lambda question: asked.append(question) or Decision(question.verb == "get", "as it is"))
    text = "authorizer.group('apps').resource('deployments').subresource('scale').namespace('n').check('get')"
    assert compiled(f"{text}.allowed()", SCOPE, BOOL).run({"authorizer": may}) is True
    assert compiled("authorizer.path('/x').check('put').reason()", SCOPE).run({"authorizer": may}) == "as it is"
    first, second = asked
    assert (first.group, first.resource, first.subresource, first.namespace) == ("apps", "deployments", "scale", "n")
    assert (second.path, second.verb) == ("/x", "put")


def test_an_expression_that_takes_too_long_is_ended():
    huge = "[" + ",".join("1" * 60) + "]"
    loops = f"{huge}.all(a, {huge}.all(b, {huge}.all(c, {huge}.all(d, a + b + c + d > 0))))"
    with pytest.raises(CelError, match="cost limit exceeded"):
        compiled(loops, {}).run({}, BUDGET)


@given(st.text(alphabet="ab1.+-*/%<>=!?:&|()[]{},'\" \n\\rxu", max_size=30))
def test_no_text_makes_the_compiler_fail(text):
    with suppress(Refusal, CelError):
        compiled(text, {"a": DYN, "b": INT}).run({"a": {"b": [1]}, "b": 2})


@pytest.mark.parametrize(
    ("text", "at", "said"),  # as a kube-apiserver 1.37.2 said it
    [
        ("a{", 2, "mismatched input '<EOF>' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"),
        ("a{true:1}", 2, "mismatched input 'true' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"),
        ("a{?", 3, "mismatched input '<EOF>' expecting {IDENTIFIER, ESC_IDENTIFIER}"),
        ("a{b", 3, "mismatched input '<EOF>' expecting ':'"),
        ("a{b:1", 5, "mismatched input '<EOF>' expecting {'}', ','}"),
        ("a{b:1,", 6, "missing '}' at '<EOF>'"),
        ("a{b:1,2", 6, "mismatched input '2' expecting '}'"),
        ("a{,", 3, "missing '}' at '<EOF>'"),
        ("a{,b:1}", 3, "mismatched input 'b' expecting '}'"),
    ],
)
def test_fields_that_are_not_ended_are_told_as_the_real_server_tells_them(text, at, said):
    with pytest.raises(Problem) as caught:
        parse(text)
    assert (caught.value.at, caught.value.text) == (at, f"Syntax error: {said}")


def test_a_function_is_added_by_one_overload():
    @function("doubled", INT, gives=INT, method=True)
    def doubled(one):
        return 2 * one

    assert compiled("21.doubled()", {}, INT).run({}) == 42
