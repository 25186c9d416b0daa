"""apiserver.deadlock: a webhook that has locked itself out, and the whole shop with it; open with few commands.

Invariant: only what runs and what is let in afterwards counts, and how many commands it took; any way is a way.
"""

from typing import Any

from kubemini.kubectlline import kubectl
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.apiserver.guarded import LOOSE, SIGNED, Guarded, pod
from kubemini.ranges import shown

MOST = 2
LOOKING = (  # change nothing, and are not counted
    *("get", "describe", "events", "explain", "auth", "logs", "top", "wait", "diff"),
    *("version", "cluster-info", "api-resources", "api-versions"),
)
HEALED = 90  # seconds: a queue that has failed for a while looks again ever more rarely
AGAIN = 20


@exercise("apiserver.deadlock")
def check_deadlock(answer: Any) -> Report:
    """A list of kubectl lines, each alone or with its standard input, typed into the cluster that is locked."""
    if not isinstance(answer, list | tuple) or not answer:
        raise NotYet(f'Give check() a list of lines such as "kubectl get pods -A"; it got {shown(answer)}.')
    lines = [_line(one) for one in answer]
    cluster = Guarded()
    cluster.lock_out()
    facts = [_typed(cluster, *line) for line in lines]
    cluster.wait(HEALED)
    _runs(cluster, facts)
    _guards(cluster, facts)
    _comes_back(cluster, facts)
    changing = [line for line, _ in lines if not _looks(line)]
    if len(changing) > MOST:
        raise NotYet(f"It is open and stays so, with {len(changing)} commands; {MOST} are enough.", *facts)
    words = "one command" if len(changing) == 1 else "two commands; one is enough"
    return Report(
        "pass",
        (*facts, words),
        "No webhook is asked about webhook configurations: that door the server always keeps open.",
    )


def _line(one: Any) -> tuple[str, str]:
    """The line and its standard input."""
    line, given = one if isinstance(one, tuple | list) and len(one) == 2 else (one, "")
    if not isinstance(line, str) or not isinstance(given, str) or not line.strip():
        raise NotYet(f"A command is a line, or a pair of a line and its standard input; not {shown(one)}.")
    return line.strip().removeprefix("kubectl "), given


def _looks(line: str) -> bool:
    """Whether it changes nothing, whatever comes of it."""
    verb, *rest = line.split()
    return verb in LOOKING or (verb == "rollout" and rest[:1] in (["status"], ["history"]))


def _typed(cluster: Guarded, line: str, given: str) -> str:
    """Type the line; what it printed."""
    try:
        found = kubectl(cluster.cluster, line, given)
    except ValueError as wrong:
        raise NotYet(f"{shown(line)} cannot be typed here: {wrong}") from None
    return f"kubectl {' '.join(line.split())}: {' '.join((found.out + found.err).split())}"


def _runs(cluster: Guarded, facts: list[str]) -> None:
    """The guard and all of the shop must run."""
    for namespace, name, wanted in (("guard", "guard", 1), ("shop", "web", 4), ("kube-system", "dns", 1)):
        found = len(cluster.pods(namespace, name))
        if found != wanted:
            _, text = cluster.create(namespace, pod("a", SIGNED if namespace == "shop" else LOOSE))
            raise NotYet(
                f"{HEALED} s later {found} of {wanted} pods of {name} run.",
                *facts,
                f"a new pod in {namespace}: {text}",
                next="Whom does the server ask before it stores a pod, and who says that it has to?",
            )


def _guards(cluster: Guarded, facts: list[str]) -> None:
    code, _ = cluster.create("shop", pod("a", LOOSE))
    if code < 400:
        raise NotYet(
            f"All runs, and a pod with the image {LOOSE} is let in: nobody guards the shop any more.",
            *facts,
            next="The lock shall open, not disappear.",
        )


def _comes_back(cluster: Guarded, facts: list[str]) -> None:
    """The same again: it must not happen a second time, nor may anybody slip in meanwhile."""
    cluster.scale("guard", "guard", 0)
    cluster.wait(3)
    code, _ = cluster.create("shop", pod("a", LOOSE))
    cluster.scale("guard", "guard", 1)
    cluster.wait(AGAIN)
    if not cluster.pods("guard", "guard"):
        raise NotYet(
            "All runs and is guarded; then somebody takes the guard down once more, and the lock is back.",
            *facts,
            next="Of which namespace should this webhook never speak?",
        )
    if code < 400:
        raise NotYet(
            f"The guard was taken down once more, and meanwhile a pod with the image {LOOSE} was let in.",
            *facts,
            next="failurePolicy Ignore opens the lock for everybody.",
        )
