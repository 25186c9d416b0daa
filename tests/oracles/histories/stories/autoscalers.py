"""HorizontalPodAutoscalers, whose pods use what a story says (../telling/metrics.py)."""

from tests.oracles.histories.stories.corners import NODE, WEB
from tests.oracles.histories.stories.parts import (
    auto,
    create,
    delete,
    kubelet,
    made,
    sleep,
    spec,
    story,
    workload,
)

PERIOD = 15  # s, of the controller
REQUESTS = {"requests": {"cpu": "100m", "memory": "100Mi"}}
AT_ONCE = {"stabilizationWindowSeconds": 0}
SCALER = "HorizontalPodAutoscaler/web"


def periods(count):
    """So many of the controller's, and a second."""
    return sleep(count * PERIOD + 1)


def container(name="c", resources=REQUESTS):
    """One of a pod's containers."""
    return {"name": name, "image": "app:1", **({"resources": resources} if resources else {})}


def used(**containers):
    """From here on every pod uses that, by container; nothing is that nobody has measured yet."""
    told = ", ".join(f"{name} {quantity}" for use in containers.values() for name, quantity in use.items())
    return {"say": f"metrics: {told or 'none'}", "metrics": told, "usage": {"*": containers} if containers else {}}


def cpu(quantity):
    """The same of CPU, of the one container."""
    return used(c={"cpu": quantity})


def resource(name="cpu", percent=50, kind="resource", **more):
    """A metric of pods or, *kind*, of containers: the share of their requests that they use."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": kind[0].upper() + kind[1:], kind: {"name": name, "target": target, **more}}


def scaler(*metrics, of="Deployment", version="apps/v1", least=1, most=10, **more):
    """An autoscaler of web."""
    asked = {"scaleTargetRef": {"apiVersion": version, "kind": of, "name": "web"}, "minReplicas": least}
    asked |= {"maxReplicas": most, **({"metrics": [*metrics]} if metrics else {}), **more}
    return create(made("autoscaling/v2", "HorizontalPodAutoscaler", "web", spec=asked))


def scaled(name, about, replicas, *steps, kind="Deployment", containers=None, keep_up=True):
    """A story of a workload of that many pods, all ready at once, or ready once."""
    web = workload(kind, "web", replicas, pod={"containers": containers or [container()]})
    follow = [auto()] if keep_up else [kubelet("ready", "web")] if replicas else []
    return story("hpa", name, about, NODE, create(web), *follow, *steps, quiet=1.2)


def policy(kind, value, period):
    """How many more or fewer in how many seconds."""
    return {"type": kind, "value": value, "periodSeconds": period}


STORIES = [
    scaled("up-own", "More is used than is asked for.", 1, cpu("150m"), scaler(resource()), periods(2)),
    scaled(
        "two-resources",
        "Of two metrics the one that wants more is obeyed.",
        *(2, used(c={"cpu": "100m", "memory": "90Mi"}), scaler(resource(), resource("memory", 30))),
        periods(2),
    ),
    scaled(
        "own-tolerance",
        "A tolerance of its own, upwards; then more than that.",
        *(4, cpu("60m"), scaler(resource(), behavior={"scaleUp": {"tolerance": "0.3"}}), periods(1)),
        *(cpu("70m"), periods(1)),
    ),
    scaled(
        "down-in-turns",
        "One pod in thirty seconds may go.",
        *(8, cpu("1m")),
        scaler(resource(), behavior={"scaleDown": AT_ONCE | {"policies": [policy("Pods", 1, 30)]}}),
        sleep(61),
    ),
    scaled(
        "down-the-least",
        "Of two policies the one that takes least.",
        *(8, cpu("1m")),
        scaler(
            resource(),
            behavior={
                "scaleDown": AT_ONCE
                | {"selectPolicy": "Min", "policies": [policy("Pods", 3, 15), policy("Percent", 10, 15)]}
            },
        ),
        periods(3),
    ),
    scaled(
        "never-down",
        "It may never shrink.",
        *(4, cpu("1m"), scaler(resource(), behavior={"scaleDown": AT_ONCE | {"selectPolicy": "Disabled"}})),
        periods(1),
    ),
    scaled(
        "up-window",
        "More is wanted for as long as the window says, before it is given.",
        *(1, cpu("500m"), scaler(resource(), behavior={"scaleUp": {"stabilizationWindowSeconds": 30}})),
        sleep(53),
    ),
    scaled(
        "one-container",
        "One container of two counts.",
        *(2, used(c={"cpu": "90m"}, d={"cpu": "10m"})),
        *(scaler(resource(kind="containerResource", container="c")), periods(2)),
        containers=[container(), container("d")],
    ),
    scaled(
        "no-such-container",
        "The container that counts is in no pod.",
        *(2, cpu("90m"), scaler(resource(kind="containerResource", container="e")), periods(1)),
    ),
    scaled(
        "no-request",
        "One container has no request: no share of it can be told.",
        *(2, used(c={"cpu": "100m"}, d={"cpu": "10m"}), scaler(resource()), periods(1)),
        containers=[container(), container("d", {})],
    ),
    scaled("metrics-by-default", "No metric is named.", 2, cpu("100m"), scaler(), periods(2)),
    scaled(
        "one-metric-fails",
        "One of two metrics is not there, the other wants more.",
        *(2, cpu("100m"), scaler(resource(), resource("memory", 40), behavior={"scaleDown": AT_ONCE})),
        periods(1),
    ),
    scaled(
        "bounds-are-edited",
        "The least rises above what is; the most sinks below it.",
        *(2, cpu("50m"), scaler(resource()), periods(1), spec(SCALER, minReplicas=4), periods(1)),
        *(spec(SCALER, minReplicas=1, maxReplicas=3), periods(1)),
    ),
    scaled(
        "by-hand-beside-it",
        "Somebody scales: within the bounds, to nothing, above them.",
        *(2, cpu("50m"), scaler(resource()), periods(1), spec(WEB, replicas=5), periods(1)),
        *(spec(WEB, replicas=0), periods(1), spec(WEB, replicas=12), periods(1)),
    ),
    scaled(
        "of-a-set",
        "It scales a ReplicaSet.",
        *(2, cpu("100m"), scaler(resource(), of="ReplicaSet"), periods(2)),
        kind="ReplicaSet",
    ),
    scaled(
        "target-goes",
        "What it scales is deleted.",
        *(2, cpu("100m"), scaler(resource()), periods(1), delete(WEB), sleep(20)),
    ),
    scaled(
        "no-metrics",
        "Nobody measures: what is asked for stays.",
        *(2, used(), scaler(resource("memory"), resource()), sleep(PERIOD + 2)),
        keep_up=False,
    ),
    scaled(
        "target-of-no-kind",
        "There is no such kind.",
        *(1, scaler(resource(), of="Nothing"), periods(1)),
        keep_up=False,
    ),
    scaled(
        "from-nothing",
        "It scales nothing while nothing is asked for.",
        *(0, used(), scaler(resource()), sleep(3), spec(WEB, replicas=1), kubelet("ready", "web"), periods(1)),
        keep_up=False,
    ),
]
