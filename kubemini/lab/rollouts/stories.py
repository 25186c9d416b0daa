"""A shop behind a Service whose pods are changed, evicted or lost: the stories of the chapter, with what differs.

Manifests are JSON here, which is YAML too: there is no YAML in the browser.
"""

import json
from collections.abc import Sequence
from typing import Any

from kubemini.scenarios import Scenario, load
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.view.rollouts import READY, strip_of

NAME = "web"
ROLLS = 20  # s
NEW = f"set image deployment/{NAME} {NAME}=shop/web:2.0"
NOWHERE = f"set image deployment/{NAME} {NAME}=registry.invalid/shop/web:2.0"
Json = dict[str, Any]


def deployment(
    replicas: int = 4, hook: float | Json | None = None, grace: int = 30, notes: Json | None = None, **rolling: Any
) -> Json:
    """The shop's Deployment.

    *hook* is its preStop (seconds of sleep, or the hook itself), *notes* are annotations of its pods, *rolling*
    maxSurge and maxUnavailable.
    """
    container: Json = {
        "name": NAME,
        "image": "shop/web:1.0",
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
    }
    if hook:
        sleeps = {"sleep": {"seconds": hook}}
        container["lifecycle"] = {"preStop": hook if isinstance(hook, dict) else sleeps}
    labels = {"app": NAME}
    pod = {"terminationGracePeriodSeconds": grace, "containers": [container]}
    template = {"metadata": {"labels": labels, "annotations": notes or {}}, "spec": pod}
    spec: Json = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    if rolling:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}


def budget(**spec: Any) -> Json:
    """Its PodDisruptionBudget."""
    whole = {"selector": {"matchLabels": {"app": NAME}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": NAME}, "spec": whole}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": NAME},
    "spec": {"selector": {"app": NAME}, "ports": [{"port": 80, "targetPort": 8080}]},
}


def manifests(*objects: Json) -> str:
    """*objects* as one text."""
    return "\n---\n".join(json.dumps(one) for one in objects)


def story(
    *lines: str | Sequence[Any],
    of: Json | None = None,
    budgets: Sequence[Json] = (),
    every: str = "",
    until: float = 60,
    sync: str = "1s",
    workers: int = 3,
) -> Scenario:
    """What *lines* of kubectl do at 20 s (or commands: [second, action, …]) to the Deployment *of*.

    *every*: visitors come so often; *sync*: how seldom kube-proxies write.
    """
    faults = [[f"{ROLLS}s", "kubectl", one] if isinstance(one, str) else list(one) for one in lines]
    data: Json = {
        "name": "rollouts-changed",
        "title": "The shop's pods are changed",
        "about": "A Deployment behind a Service.",
        "topology": {"kind": "single", "workers": workers, "zones": ["a"]},
        "params": {"all_controllers": True, "iptables_min_sync_period": sync},
        "manifests": manifests(of or deployment(), SERVICE, *budgets),
        "faults": faults,
        "seed": 2,
        "until": f"{until}s",
    }
    return load({**data, "workload": {"visitors": {"service": NAME, "every": every}}} if every else data)


def tally(trace: Trace, begin: float = ROLLS, end: float | None = None) -> dict[str, int]:
    """Over the time from *begin* to *end* (s): fewest ready, most that were kept, most that there were at all."""
    strip = strip_of(trace, NAME)
    last = trace.header["until"] if end is None else round(end * SECOND)
    changes = [at for life in strip.pods.values() for at, _ in life.spans if begin * SECOND <= at <= last]
    counts = [strip.counts(at) for at in sorted({round(begin * SECOND), *changes})]
    return {
        "ready": min(one[READY] for one in counts),
        "kept": max(one.total() - one["leaving"] for one in counts),
        "all": max(one.total() for one in counts),
    }


def typed(trace: Trace) -> list[str]:
    """What kubectl printed, a line each, with the second in front."""
    told = [(record.at / SECOND, record.detail["said"].splitlines()) for record in trace.of("typed")]
    return [f"{at:5.1f} s  {line}" for at, lines in told for line in lines]
