"""ingress.canary: one request in ten goes to the new version."""

from collections import Counter
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.ingress.shop import facts, objects
from kubemini.network.decide.routing import gateway
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from kubemini.sim.chance import Draws

REQUESTS, WANTED, BAND = 10_000, {"stable": 0.9, "canary": 0.1}, 0.015


@exercise("ingress.canary")
def check_canary(answer: Any) -> Report:
    """*answer*: the manifest of an HTTPRoute for shop.example at the Gateway front."""
    known = facts(*objects(answer, "HTTPRoute"))
    verdict = gateway.route(known, known.of("Gateway")[0], Request("shop.example", "/any/page"))
    if verdict.fate != FORWARDED:
        raise NotYet(f"shop.example/any/page is answered {verdict.status}: {verdict.rule}.")
    draws = Draws(17, "canary")
    got = Counter(verdict.pick(draws.u(number)).name for number in range(REQUESTS))
    shares = {name: got[name] / REQUESTS for name in sorted({*got, *WANTED})}
    told = ", ".join(f"{share:.1%} to {name}" for name, share in shares.items())
    if any(abs(share - WANTED.get(name, 0)) > BAND for name, share in shares.items()):
        raise NotYet(f"Of {REQUESTS:,} requests {told}.", next="A weight is a share of the sum of all weights.")
    return Report(
        "pass",
        (f"{REQUESTS:,} requests: {told}", verdict.rule),
        "Weights share requests, whatever the number of pods behind each Service.",
        "A share of requests is not a share of users: who reloads may see both versions.",
    )
