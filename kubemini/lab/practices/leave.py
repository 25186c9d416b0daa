"""practices.leave: a goodbye of pods that costs no visit and cuts no work short.

The rules of every kernel still name a pod that shall stop: its hook must outlast the slowest
kube-proxy. The grace period runs meanwhile, and the program needs its time after the hook.
"""

from typing import Any

from kubemini.api.objects import freeze
from kubemini.faults import FaultError
from kubemini.kubelet.decide.hooks import pre_stop as hook_of
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.practices.stories import ROLLS, rollout, shortest_goodbye
from kubemini.lab.visits import visits
from kubemini.sim.units import SECOND
from kubemini.simulate import run

SEEDS = (1, 2, 3)
SYNC, NEEDS = 5, 4  # s: how seldom kube-proxies write, and what the program needs after SIGTERM
PATIENCE = 20  # s a pod may take to leave
KEYS = {"preStop", "terminationGracePeriodSeconds"}


@exercise("practices.leave")
def check_leave(answer: Any) -> Report:
    """*answer*: ``{"preStop": {"sleep": {…}}, "terminationGracePeriodSeconds": …}``."""
    if not isinstance(answer, dict) or set(answer) != KEYS:
        raise NotYet(f"Give a dict with {' and '.join(sorted(KEYS))}.")
    grace, hook = answer["terminationGracePeriodSeconds"], answer["preStop"]
    if type(grace) is not int or grace < 1:
        raise NotYet(f"terminationGracePeriodSeconds is a whole number, 1 or more; not {grace!r}.")
    if not isinstance(hook, dict) or not hook:
        raise NotYet('preStop is a hook, such as {"sleep": {"seconds": 1}}.')
    holds = hook_of(freeze({"spec": {"containers": [{"lifecycle": {"preStop": hook}}]}})) / SECOND
    facts = [_rolled(hook, grace, holds, seed) for seed in SEEDS]
    return Report(
        "pass",
        tuple(facts),
        "The hook waits for the slowest reader of the EndpointSlice; the grace pays for both.",
        "An ingress controller reads it, too, and may be slower. Whom did you measure?",
    )


def _rolled(hook: dict[str, Any], grace: int, holds: float, seed: int) -> str:
    """What one rollout cost, in words. Raises NotYet."""
    try:
        trace = run(rollout(hook, grace, f"{NEEDS}s", f"{SYNC}s"), seed)
    except FaultError as error:
        raise NotYet(f"The API server does not take this hook: {error}") from None
    if not any(r.detail["state"] == "gone" for r in trace.of("pod")):
        raise NotYet(
            "No pod has come or gone: the API server refuses a hook longer than the grace.",
            f"preStop {hook}, terminationGracePeriodSeconds {grace}",
        )
    seen = visits(trace, ROLLS - 1, 60)
    failed = sum(r.detail["outcome"] != "ok" for r in seen)
    took = shortest_goodbye(trace)
    if failed:
        raise NotYet(
            f"{failed} of {len(seen)} visits fail during the rollout (seed {seed}).",
            f"a pod's hook holds SIGTERM back for {holds:g} s",
            next=f"Kernels send visits until kube-proxy writes anew, up to {SYNC} s later.",
        )
    if took < holds + NEEDS:
        raise NotYet(
            f"A pod is killed after {took:.1f} s, in the middle of its work (seed {seed}).",
            f"its hook takes {holds:g} s, and then its program {NEEDS} s",
            next="The grace period begins with the hook, not after it.",
        )
    if took > PATIENCE:
        raise NotYet(
            f"A pod takes {took:.0f} s to leave; {PATIENCE} s are allowed.",
            next="Every pod of a rollout pays this, one after the other.",
        )
    return f"seed {seed}: 0 of {len(seen)} visits fail; a pod leaves in {took:.1f} s"
