"""``kubectl auth can-i`` and ``auth whoami``.

Models k/kubectl pkg/cmd/auth CanIOptions.RunAccessCheck CanIOptions.RunAccessList printStatus; WhoAmIOptions.Run.
Simplified: auth reconcile is not here.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import Failed, Steps, fail
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import outputs, rules
from kubemini.users.decide.kubectl.printing.tabs import aligned
from kubemini.users.decide.kubectl.targets import EVERYWHERE

FLAGS = (
    *EVERYWHERE,
    Flag("list", kind=BOOL),
    Flag("quiet", "q", BOOL),
    Flag("no-headers", kind=BOOL),
    Flag("subresource"),
)
OF_WHOAMI = outputs.OUTPUT
ACCESS, RULES, SELF = (
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
    ("authentication.k8s.io/v1", "SelfSubjectReview", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
)


def _review(line: Line, what: tuple[str, str, str], spec: Any) -> Steps:
    body = {"apiVersion": what[0], "kind": what[1], "metadata": {}} | ({"spec": spec} if spec is not None else {})
    return (yield from line.send("POST", what[2], body))


def can_i(line: Line, given: Given) -> Steps:
    """``auth can-i``: yes or no, or all there is."""
    if given.on("list"):
        yield from _list(line, given)
        return 0
    words = given.words
    if len(words) != 2:
        raise fail(
            "you must specify two arguments: verb resource or verb resource/resourceName.\n"
            "See 'kubectl auth can-i -h' for help and examples."
        )
    spec = yield from _asked(line, given, words)
    answer = yield from _review(line, ACCESS, spec)
    status = answer.get("status") or {}
    allowed = bool(status.get("allowed"))
    if not given.on("quiet"):
        why = f" - {status['reason']}" if status.get("reason") and not allowed else ""
        wrong = f" - {status['evaluationError']}" if status.get("evaluationError") and not allowed else ""
        line.screen.line(("yes" if allowed else "no") + why + wrong)
    return 0 if allowed else 1


def _asked(line: Line, given: Given, words: list[str]) -> Steps:
    verb, what = words[0], words[1]
    if what.startswith("/"):
        return {"nonResourceAttributes": {"path": what, "verb": verb}}
    word, _, name = what.partition("/")
    attributes = {"verb": verb}
    if word == "*":
        attributes |= {"group": "*", "resource": "*"}
    else:
        attributes |= yield from _resource(line, word)
    if not given.on("all-namespaces"):
        attributes["namespace"] = line.namespace
    attributes |= {"name": name} if name else {}
    attributes |= {"subresource": given["subresource"]} if given["subresource"] else {}
    return {"resourceAttributes": attributes}


def _resource(line: Line, word: str) -> Steps:
    """A resource that the server has, or the word as it is, with a warning."""
    try:
        found = yield from line.known.find(word)
    except Failed as problem:
        if "doesn't have" not in str(problem):
            raise
        name, _, group = word.partition(".")
        where = f" in group '{group}'" if group else ""
        line.screen.complain(f"Warning: the server doesn't have a resource type '{name}'{where}\n")
        return {"group": group, "resource": name}
    if not found.namespaced:
        where = f" in group '{found.group}'" if found.group else ""
        line.screen.complain(f"Warning: resource '{found.name}' is not namespace scoped{where}\n")
    return {"group": found.group, "resource": found.name}


def _list(line: Line, given: Given) -> Steps:
    if given.words:
        raise fail("list option must be specified with no arguments")
    answer = yield from _review(line, RULES, {"namespace": line.namespace})
    status = answer.get("status") or {}
    if status.get("incomplete"):
        line.screen.complain(f"warning: the list may be incomplete: {status.get('evaluationError', '')}")
    found = rules.rows([*(status.get("resourceRules") or []), *(status.get("nonResourceRules") or [])])
    lines = [] if given.on("no-headers") else [rules.HEADS]
    line.screen.out(aligned("".join("\t".join(row) + "\n" for row in [*lines, *found])))


# -- whoami ------------------------------------------------------------------------------------------------------------
def whoami(line: Line, given: Given) -> Steps:
    """``auth whoami``."""
    show = (yield from outputs.of(given, typed=True)) if given["output"] else None
    answer = yield from _review(line, SELF, None)
    if show is not None:
        line.screen.out(show(answer))
        return
    user = (answer.get("status") or {}).get("userInfo") or {}
    rows = [("ATTRIBUTE", "VALUE"), ("Username", user.get("username", ""))]
    rows += [("UID", user["uid"])] if user.get("uid") else []
    rows += [("Groups", f"[{' '.join(user['groups'])}]")] if user.get("groups") else []
    extra = user.get("extra") or {}
    rows += [(f"Extra: {key}", f"[{' '.join(extra[key])}]") for key in sorted(extra)]
    line.screen.out(aligned("".join(f"{name}\t{value}\n" for name, value in rows)))
