"""What an autoscaler may be: whom it scales, by which metrics, how fast.

Models k/k pkg/apis/autoscaling/validation validateHorizontalPodAutoscalerSpec, ValidateCrossVersionObjectReference,
validateMetrics, validateScalingRules.
"""

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.api.quantity import parse, text
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, indexed, invalid, required, supported, unsupported
from kubemini.apiserver.rules.resources import amount_of, container_name

LONGEST_WINDOW, LONGEST_PERIOD = 3600, 1800  # seconds
FIELDS = {  # a metric's type → the field that goes with it
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
IN_TURN = ("object", "external", "pods", "resource", "containerResource")
MUST_FILL = "must populate information for the given metric source"
TO_ZERO = "must specify at least one Object or External metric to support scaling to zero replicas"
ONE_OF_BOTH = "must set either a target raw value or a target utilization"
NOT_BOTH = "may not set both a target raw value and a target utilization"


def autoscaler(spec: Obj, path: str) -> Wrong:
    """Every complaint but those that Kubernetes generates."""
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and most < least:
        yield invalid(f"{path}.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from reference(spec.get("scaleTargetRef") or {}, f"{path}.scaleTargetRef")
    metrics = spec.get("metrics") or ()
    yield from indexed(metrics, f"{path}.metrics", _metric)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        yield forbidden(f"{path}.metrics", TO_ZERO)
    for way in ("scaleUp", "scaleDown"):
        yield from _rules((spec.get("behavior") or {}).get(way), f"{path}.behavior.{way}")


def bounds(spec: Obj, path: str) -> Wrong:
    """What the rules say that Kubernetes generates from its types."""
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 0:
        yield invalid(f"{path}.minReplicas", least, "must be greater than or equal to 0")
    if not most:
        yield required(f"{path}.maxReplicas")
    elif most < 0:
        yield invalid(f"{path}.maxReplicas", most, "must be greater than or equal to 1")


def reference(ref: Obj, path: str, grouped: bool = True) -> Wrong:
    """Another object, whose version may be any; *grouped*: it is of a group with a name."""
    for field in ("kind", "name"):
        value = ref.get(field, "")
        yield from each(names.path_segment(value), f"{path}.{field}", value) if value else [required(f"{path}.{field}")]
    version = ref.get("apiVersion", "")
    if version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif grouped and not version.rpartition("/")[0]:
        yield invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: Obj, path: str) -> Wrong:
    type = metric.get("type", "")
    if not type:
        yield required(f"{path}.type", "must specify a metric source type")
    if type not in FIELDS:
        yield unsupported(f"{path}.type", type, tuple(FIELDS))
    given = [field for field in IN_TURN if metric.get(field) is not None]
    if given:
        yield from _SOURCES[given[0]](metric[given[0]], f"{path}.{given[0]}")
    expected = FIELDS.get(type, "")
    if expected and expected not in given:
        yield required(f"{path}.{expected}", MUST_FILL)
    if len(given) != 1:
        for field in given:
            if field != expected:
                yield forbidden(f"{path}.{field}", "must populate the given metric source only")


def _object(source: Obj, path: str) -> Wrong:
    target = source.get("target") or {}
    yield from reference(source.get("describedObject") or {}, f"{path}.describedObject", grouped=False)
    yield from _named(source.get("metric") or {}, f"{path}.metric")
    yield from _target(target, f"{path}.target")
    if target.get("value") is None and target.get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must set either a target value or averageValue")


def _external(source: Obj, path: str) -> Wrong:
    target = source.get("target") or {}
    yield from _named(source.get("metric") or {}, f"{path}.metric")
    yield from _target(target, f"{path}.target")
    both = "a target value for metric {} a per-pod target"
    if target.get("value") is None and target.get("averageValue") is None:
        yield required(f"{path}.target.averageValue", f"must set either {both.format('or')}")
    elif target.get("value") is not None and target.get("averageValue") is not None:
        yield forbidden(f"{path}.target.value", f"may not set both {both.format('and')}")


def _pods(source: Obj, path: str) -> Wrong:
    yield from _named(source.get("metric") or {}, f"{path}.metric")
    yield from _target(source.get("target") or {}, f"{path}.target")
    if (source.get("target") or {}).get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must specify a positive target averageValue")


def _resource(source: Obj, path: str) -> Wrong:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    yield from _used(source.get("target") or {}, f"{path}.target")


def _container_resource(source: Obj, path: str) -> Wrong:
    name, container = source.get("name", ""), source.get("container", "")
    if not name:
        yield required(f"{path}.name", "must specify a resource name")
    else:
        yield from container_name(name, f"{path}.name")
    if not container:
        yield required(f"{path}.container", "must specify a container")
    else:
        yield from each(names.dns_label(container), f"{path}.container", container)
    yield from _used(source.get("target") or {}, f"{path}.target")


_SOURCES = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}


def _used(target: Obj, path: str) -> Wrong:
    """How much of a resource: in percent or as an amount."""
    yield from _target(target, path)
    share, value = target.get("averageUtilization"), target.get("averageValue")
    if share is None and value is None:
        yield required(f"{path}.averageUtilization", ONE_OF_BOTH)
    elif share is not None and value is not None:
        yield forbidden(f"{path}.averageValue", NOT_BOTH)


def _target(target: Obj, path: str) -> Wrong:
    type = target.get("type", "")
    if not type:
        yield required(f"{path}.type", "must specify a metric target type")
    if type not in ("Utilization", "Value", "AverageValue"):
        yield invalid(f"{path}.type", type, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        if target.get(field) is not None and parse(text(target[field])).amount <= 0:
            yield invalid(f"{path}.{field}", str(parse(text(target[field]))), "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield invalid(f"{path}.averageUtilization", share, "must be greater than 0")


def _named(metric: Obj, path: str) -> Wrong:
    name = metric.get("name", "")
    if not name:
        yield required(f"{path}.name", "must specify a metric name")
    else:
        yield from each(names.path_segment(name), f"{path}.name", name)


def _rules(rules: Obj | None, path: str) -> Wrong:
    """How fast it may go up, or down."""
    if rules is None:
        return
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > LONGEST_WINDOW:
        text = f"must be less than or equal to {LONGEST_WINDOW}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, text)
    if rules.get("selectPolicy") is not None:
        yield from supported(f"{path}.selectPolicy", rules["selectPolicy"], ("Disabled", "Max", "Min"))
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    yield from indexed(rules.get("policies"), f"{path}.policies", _policy)
    if rules.get("tolerance") is not None:
        yield from amount_of("", rules["tolerance"], f"{path}.tolerance")


def _policy(policy: Obj, path: str) -> Wrong:
    yield from supported(f"{path}.type", policy.get("type", ""), ("Percent", "Pods"))
    for field in ("value", "periodSeconds"):
        if policy.get(field, 0) <= 0:
            yield invalid(f"{path}.{field}", policy.get(field, 0), "must be greater than zero")
    if policy.get("periodSeconds", 0) > LONGEST_PERIOD:
        text = f"must be less than or equal to {LONGEST_PERIOD}"
        yield invalid(f"{path}.periodSeconds", policy["periodSeconds"], text)
