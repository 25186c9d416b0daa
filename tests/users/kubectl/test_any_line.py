"""Whatever is typed, a line ends with a status and words of kubectl: nothing of ours fails, nothing hangs."""

import random
import shlex

import pytest

from kubemini.users.decide.kubectl.reading import VERBS
from tests.users.kubectl.worlds import WEB, Desk

WORDS = (
    *("pods", "pod", "deploy", "deploy/web", "deploy/", "/", "a/b/c", "web", "nope", "node", "node/worker-1", "all"),
    *("a=b", "a-", "=", "-", "--", "a:NoSchedule", "pods,svc", "pods.v1.", "x.y.z", "", "ü", "*", "ns/default", "rs"),
    *("pod.spec", "sa", "get", "5", "lease", "clusterroles/view", "-1", "kube-system", "crd", "worker-1"),
)
VALUES = (
    *("", "x", "yaml", "json", "wide", "name", "jsonpath={.items[*].metadata.name}", "jsonpath={[?(@.a==1)]}"),
    *("jsonpath={range .items[*]}{.a}", "custom-columns=A:.a,B:.items", "custom-columns=A:{", "5", "-1", "1s", "true"),
    *("a=b", "a in (b", "{", "[]", '{"a":1}', '[{"op":"add","path":"/x","value":1}]', "server", "client", ".x["),
    *("{.metadata.name}", "app=web", "status.phase=Running", "create", "delete", "condition=Ready", "/nope", "80:x"),
)
HEAD = "apiVersion: v1\nkind: ConfigMap\n"
GIVEN = (
    *(WEB, "a: b", "", "{", "[1]", "- a", "apiVersion: v1\nkind: List\nitems: [1]", f"{HEAD}metadata: 3", HEAD),
    *(f"{HEAD}metadata: {{name: [a]}}", "apiVersion: 3\nkind: 4", "null\n---\n3"),
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: 3}\nspec: 4",
)


def courses(verbs, path=()):
    """Each verb with its name."""
    for word, verb in verbs.items():
        if verb.run is not None:
            yield (*path, word), verb
        yield from courses(verb.under, (*path, word))


def line(chance):
    """A verb, some words, some of its flags."""
    path, verb = chance.choice(list(courses(VERBS)))
    words = [*path, *chance.choices(WORDS, k=chance.choice((0, 1, 1, 2, 2, 3)))]
    for flag in chance.choices(verb.flags, k=chance.choice((0, 0, 1, 2))) if verb.flags else ():
        alone = flag.kind == "bool" and chance.random() < 0.8
        words.append(f"--{flag.name}" if alone else f"--{flag.name}={chance.choice(VALUES)}")
    return shlex.join(words)


@pytest.mark.parametrize("seed", range(4))
def test_a_line_ends_whatever_is_typed(seed):
    chance, desk = random.Random(seed), Desk()
    desk.says("apply -f -", WEB)
    desk.cluster.run("15s")
    for _ in range(100):
        typed = desk.type(line(chance), chance.choice(GIVEN), time="4s")
        assert isinstance(typed.status, int)
        assert typed.status in (0, 130) or str(typed) or "-q" in typed.line
