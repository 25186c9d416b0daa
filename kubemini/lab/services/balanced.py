"""services.balanced: a client that balances its own requests over the pods that a headless Service names."""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.ranges import shown
from kubemini.study.balance import cv, deal

PODS = [f"10.244.{1 + n % 3}.{10 + n}" for n in range(10)]
PHASES = ((0, 10, 300), (0, 9, 300), (3, 10, 300))  # first pod, end, requests: one goes, then three go and it is back
ENOUGH = 0.1


@exercise("services.balanced")
def check_balanced(answer: Any) -> Report:
    """The learner's ``choose`` picks for 900 requests while pods come and go; shares must stay even."""
    if not callable(answer):
        raise NotYet("Give check() the function choose itself, without brackets.")
    facts: list[str] = []
    sent: dict[str, int] = {}
    for first, end, requests in PHASES:
        pods = PODS[first:end]
        before = {pod: sent.get(pod, 0) for pod in pods}
        _send(answer, pods, sent, requests)
        shares = [sent.get(pod, 0) - before[pod] for pod in pods]
        if cv(shares) >= ENOUGH:
            raise NotYet(
                f"{requests} requests to {len(pods)} pods were dealt {shares}: CV {cv(shares):.2f}, "
                f"not below {ENOUGH}.",
                *facts,
                next="Send each request to the next pod of the list; a total that you catch up on is a flood.",
            )
        facts.append(f"{len(pods)} pods, {requests} requests: from {min(shares)} to {max(shares)} each")
    dealt = deal(len(PODS), 20, 1)
    facts.append(f"a Service deals 20 connections {list(dealt)}: CV {cv(dealt):.2f}")
    return Report("pass", tuple(facts), "Who sees all pods can be even; who sees one address can only be lucky.")


def _send(choose: Callable[..., Any], pods: list[str], sent: dict[str, int], requests: int) -> None:
    for number in range(requests):
        pod = ask(choose, list(pods), number)
        if pod not in pods:
            raise NotYet(
                f"choose(pods, {number}) returned {shown(pod)}, which is none of the {len(pods)} pods there are now.",
                next="The list is what DNS says now: an address that is not in it belongs to nobody any more.",
            )
        sent[pod] = sent.get(pod, 0) + 1
