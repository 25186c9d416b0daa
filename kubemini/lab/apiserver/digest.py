"""apiserver.digest: a webhook that wants a digest in every image, and that nobody has to fear.

The checker asks it, then takes it down, as sooner or later somebody does, and looks what still works.
Invariant: what is judged is what the API server answers and which pods run, never how the answer is written.
"""

import copy
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.apiserver.guarded import CONFIGURATIONS, LOOSE, SIGNED, Guarded, configuration, pod
from kubemini.lab.apiserver.server import said
from kubemini.ranges import shown

SHAPE = 'Return an AdmissionReview: {**review, "response": {"uid": review["request"]["uid"], "allowed": …}}.'
SELECTOR = "namespaceSelector says of which namespaces a webhook speaks; each carries its name as a label."


class Program:
    """The learner's function as the program behind the webhook; its first failure is kept."""

    def __init__(self, admit: Any):
        self.admit, self.asked = admit, 0
        self.failed: NotYet | None = None

    def __call__(self, review: dict[str, Any]) -> Any:
        self.asked += 1
        try:
            answer = ask(self.admit, copy.deepcopy(review))
            if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
                raise NotYet(f"The webhook answered {shown(answer)}.", next=SHAPE)
        except NotYet as why:
            self.failed = self.failed or why
            raise
        return answer


@exercise("apiserver.digest")
def check_digest(answer: Any) -> Report:
    """A pair: the function, and what its webhook's configuration says. It is asked, taken down, and asked again."""
    if not isinstance(answer, tuple | list) or len(answer) != 2 or not isinstance(answer[1], dict):
        raise NotYet(f"Give check() a pair: the function admit and the dict webhook; it got {shown(answer)}.")
    admit, webhook = answer
    if not callable(admit):
        raise NotYet(f"The first of the pair is the function itself, without brackets; it is {shown(admit)}.")
    program = Program(admit)
    cluster = Guarded(program)
    try:
        code, found = cluster.ask("POST", CONFIGURATIONS, configuration(webhook))
    except (TypeError, ValueError):
        raise NotYet("A configuration is made of dicts, lists and texts, as in YAML; yours is not.") from None
    if code != 201:
        raise NotYet("The API server does not take this configuration.", f"{code}: {said(found)}")
    facts: list[str] = []
    for part in (_asked, _down, _back):
        part(cluster, program, facts)
    return Report("pass", tuple(facts), "A guard that fails closed must leave a way in for those who would mend it.")


def _refused(cluster: Guarded, program: Program, facts: list[str], where: str, obj: Any, what: str, think: str) -> None:
    """Raise NotYet if *obj* can be made in the namespace *where*."""
    before = program.asked
    code, text = cluster.create(where, obj)
    _fail(program)
    if code < 400 and cluster.pods("guard", "guard") and program.asked == before:
        raise NotYet(f"{what} was let in, and the webhook was not even asked.", *facts, next=SELECTOR)
    if code < 400:
        raise NotYet(f"{what} was let in.", *facts, next=think)
    if "denied the request" in text and "without explanation" in text:
        raise NotYet("A pod was refused without a word.", text, next='Say why: "status": {"message": "…"}.')


def _allowed(cluster: Guarded, program: Program, facts: list[str], where: str, obj: Any, what: str, think: str) -> None:
    """Raise NotYet if *obj* cannot be made in the namespace *where*."""
    code, text = cluster.create(where, obj)
    _fail(program)
    if code >= 400:
        raise NotYet(f"{what} was refused.", f"{code}: {text}", *facts, next=think)


def _fail(program: Program) -> None:
    if program.failed is not None:
        raise program.failed


def _asked(cluster: Guarded, program: Program, facts: list[str]) -> None:
    """While it is up."""
    _allowed(cluster, program, facts, "shop", pod("a"), "A pod whose image has a digest", f"Its image is {SIGNED}.")
    for where in ("shop", "blog"):
        think = "Look at the image of each container: a digest begins with @sha256:."
        _refused(cluster, program, facts, where, pod("a", LOOSE), f"In {where} a pod with the image {LOOSE}", think)
    first = pod("a", init=LOOSE)
    think = "Containers stand in two lists: spec.containers and spec.initContainers."
    _refused(cluster, program, facts, "shop", first, f"A pod whose init container has the image {LOOSE}", think)
    _allowed(cluster, program, facts, "kube-system", pod("a", LOOSE), "A pod of kube-system", SELECTOR)
    name = cluster.pods("shop", "web")[0]
    path = f"/api/v1/namespaces/shop/pods/{name}?dryRun=All"
    code, _ = cluster.ask("PATCH", path, {"spec": {"containers": [{"name": "web", "image": LOOSE}]}})
    _fail(program)
    if code < 400:
        raise NotYet(
            f"The running pod {name} was given the image {LOOSE}.",
            *facts,
            next="The image of a pod may be changed: ask for UPDATE as well as CREATE.",
        )
    facts.append(f"up: asked {program.asked} times; with a digest in, without out, kube-system as it likes")


def _down(cluster: Guarded, program: Program, facts: list[str]) -> None:
    """Somebody takes it down; kube-system must live, and nobody else may slip in."""
    _scaled(cluster, 0)
    _fail(program)
    cluster.wait(3)
    (old,) = cluster.pods("kube-system", "dns")
    code, answer = cluster.ask("DELETE", f"/api/v1/namespaces/kube-system/pods/{old}")
    cluster.wait(10)
    if code >= 400 or not cluster.pods("kube-system", "dns"):
        _, text = cluster.create("kube-system", pod("a", LOOSE))
        raise NotYet(
            "Your webhook is down, and kube-system cannot replace a pod.",
            text if code < 400 else said(answer),
            *facts,
            next=SELECTOR,
        )
    think = "With failurePolicy Ignore a guard who is not there is a guard who says yes."
    _refused(
        cluster, program, facts, "shop", pod("a", LOOSE), f"While it was down, a pod with the image {LOOSE}", think
    )
    facts.append("down: kube-system replaces its pod, and nothing without a digest comes in")


def _back(cluster: Guarded, program: Program, facts: list[str]) -> None:
    """It shall come back by itself."""
    _scaled(cluster, 1)
    cluster.wait(20)
    if not cluster.pods("guard", "guard"):
        _, text = cluster.create("guard", pod("a", "shop/guard:1.0"))
        raise NotYet(
            "Your webhook is to come back, and its own pod has to ask it first.",
            text,
            *facts,
            next="Leave out its own namespace as well: guard.",
        )
    _allowed(
        cluster, program, facts, "shop", pod("a"), "A pod whose image has a digest", "It is back: what hinders it?"
    )
    _refused(
        cluster, program, facts, "shop", pod("a", LOOSE), f"A pod with the image {LOOSE}", "It is back, and asleep."
    )
    facts.append("back: its own pod came without being asked about, and it guards again")


def _scaled(cluster: Guarded, replicas: int) -> None:
    code, text = cluster.scale("guard", "guard", replicas)
    if code >= 400:
        raise NotYet(
            f"Nobody can scale the guard to {replicas}.",
            f"{code}: {text}",
            next="Your rules ask about more than pods. Each thing that a webhook is asked about stops with it.",
        )
