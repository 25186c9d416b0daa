"""leases.parameters: three settings for which a takeover is quick, and six seconds without etcd kill nobody.

The 99th of 100 takeovers is reckoned from the rule (a standby looks once a retry period, or up to 1.2 times as much
later, and counts the duration from the look at which it first saw the last renewal), and tried on control planes.
"""

from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.leases.candidates import stalled, takeover
from kubemini.params import Params, changed
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

NAMES = ("lease_duration", "renew_deadline", "retry_period")
SEEDS = range(1, 7)
QUICK, STALL, DRAWS = 10, 6, 4000
MOST = 2.5  # requests a second of one copy


@exercise("leases.parameters")
def check_parameters(answer: Any) -> Report:
    """*answer*: ``{"lease_duration": "15s", "renew_deadline": "10s", "retry_period": "2s"}``."""
    if not isinstance(answer, dict) or set(answer) != set(NAMES):
        raise NotYet(f"Hand over the three settings {', '.join(NAMES)}; yours is {shown(answer)}.")
    wanted = {f"leader_elect_{name}": value for name, value in answer.items()}
    try:
        params = changed(Params(), wanted)
    except ValueError as error:
        raise NotYet(str(error)) from None
    lease, retry = params.leader_elect_lease_duration / SECOND, params.leader_elect_retry_period / SECOND
    if 1 / retry > MOST:
        raise NotYet(f"A look every {retry:g} s of every copy of every program is too much for an API server.")
    slow = percentile(lease, retry, params.leader_elect_jitter)
    if slow >= QUICK:
        raise NotYet(
            f"Of 100 takeovers the slowest but one takes {slow:.1f} s; less than {QUICK} s are asked.",
            next="Whoever stands by waits a whole lease duration, then until its next look.",
        )
    dead = [seed for seed in SEEDS if stalled(STALL, seed, **wanted)]
    if dead:
        raise NotYet(
            f"etcd was silent for {STALL} s, and in {len(dead)} of {len(SEEDS)} runs the holder ended itself.",
            next="It gives up one renew deadline after it began to renew, which may be just before the silence.",
        )
    gaps = [takeover("crash", seed, within=2 * QUICK, **wanted).after for seed in SEEDS]
    return Report(
        "pass",
        (
            f"99 of 100 takeovers within {slow:.1f} s; in {len(gaps)} runs after {min(gaps):.1f} to {max(gaps):.1f} s",
            f"{STALL} s without etcd: nobody ended itself in {len(SEEDS)} runs",
            f"the holder writes {1 / retry:g} times a second, {2 / retry:.2g} times as often as by default",
        ),
        "The deadline must outlast the stall, the duration the deadline, and both are paid for with requests.",
        "How often is your etcd slow for so long, and how often does a controller-manager die?",
    )


def percentile(lease: float, retry: float, jitter: float) -> float:
    """The takeover (s) that 99 of 100 are quicker than, counted from the crash."""
    dice = Random("takeover")
    return sorted(_takeover(dice, lease, retry, jitter) for _ in range(DRAWS))[DRAWS * 99 // 100]


def _takeover(dice: Random, lease: float, retry: float, jitter: float) -> float:
    """The last renewal is at 0; a standby sees it at its first look from then on, and takes over a lease later."""
    crash, look = dice.uniform(0, retry), -dice.uniform(0, retry * (1 + jitter))
    while look < 0:
        look += retry * (1 + dice.uniform(0, jitter))
    seen = look
    while look < seen + lease:
        look += retry * (1 + dice.uniform(0, jitter))
    return look - crash
