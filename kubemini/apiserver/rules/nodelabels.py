"""Labels of nodes that are on their way out: who asks for one is warned.

Models k/k pkg/api/node GetNodeLabelDeprecatedMessage, GetWarningsForNodeSelector.
"""

from kubemini.api.objects import Obj

DEPRECATED = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def in_selector(selector: Obj | None, path: str) -> list[str]:
    """The warnings about a selector object."""
    said = selector or {}
    found = [
        f"{path}.matchExpressions[{number}].key: {term['key']} is {DEPRECATED[term['key']]}"
        for number, term in enumerate(said.get("matchExpressions") or ())
        if term.get("key") in DEPRECATED
    ]
    matched = said.get("matchLabels") or {}
    return found + [f"{path}.matchLabels.{key}: {DEPRECATED[key]}" for key in sorted(matched) if key in DEPRECATED]
