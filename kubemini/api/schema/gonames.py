"""What Go calls the type of a field, for the texts of its JSON decoder: ``v1.PullPolicy`` where the schema says string.

The published OpenAPI does not tell these names; they are read in the types of k/k staging/src/k8s.io/api. A field that
is not listed has the plain type that the schema gives it.
"""

from kubemini.api import schema

_PLAIN = {
    "string": "string",
    "bool": "bool",
    "int32": "int32",
    "int64": "int64",
    "number": "float64",
    "bytes": "[]uint8",
    "time": "string",
    "microtime": "string",
    "quantity": "resource.Quantity",
    "int-or-string": "int32",
    "object": "map[string]interface {}",
    "json": "interface {}",
}
_NAMED = {
    "Condition": "status=v1.ConditionStatus",
    "Container": "imagePullPolicy=v1.PullPolicy restartPolicy=v1.ContainerRestartPolicy "
    "terminationMessagePolicy=v1.TerminationMessagePolicy",
    "ContainerPort": "protocol=v1.Protocol",
    "DeploymentCondition": "status=v1.ConditionStatus type=v1.DeploymentConditionType",
    "DeploymentStrategy": "type=v1.DeploymentStrategyType",
    "EndpointPort": "protocol=v1.Protocol",
    "EndpointSlice": "addressType=v1.AddressType",
    "HTTPGetAction": "scheme=v1.URIScheme",
    "LabelSelectorRequirement": "operator=v1.LabelSelectorOperator",
    "NamespaceSpec": "finalizers=v1.FinalizerName",
    "NamespaceStatus": "phase=v1.NamespacePhase",
    "NodeCondition": "status=v1.ConditionStatus type=v1.NodeConditionType",
    "NodeSelectorRequirement": "operator=v1.NodeSelectorOperator",
    "ObjectMeta": "uid=types.UID",
    "OwnerReference": "uid=types.UID",
    "PodCondition": "status=v1.ConditionStatus type=v1.PodConditionType",
    "PodSpec": "dnsPolicy=v1.DNSPolicy preemptionPolicy=v1.PreemptionPolicy restartPolicy=v1.RestartPolicy",
    "PodStatus": "phase=v1.PodPhase qosClass=v1.PodQOSClass",
    "Secret": "type=v1.SecretType",
    "ServicePort": "protocol=v1.Protocol",
    "ServiceSpec": "externalTrafficPolicy=v1.ServiceExternalTrafficPolicy "
    "internalTrafficPolicy=v1.ServiceInternalTrafficPolicy ipFamilies=v1.IPFamily "
    "ipFamilyPolicy=v1.IPFamilyPolicy sessionAffinity=v1.ServiceAffinity type=v1.ServiceType",
    "Taint": "effect=v1.TaintEffect",
    "Toleration": "effect=v1.TaintEffect operator=v1.TolerationOperator",
    "TopologySpreadConstraint": "nodeAffinityPolicy=v1.NodeInclusionPolicy nodeTaintsPolicy=v1.NodeInclusionPolicy "
    "whenUnsatisfiable=v1.UnsatisfiableConstraintAction",
}
_TABLE = {struct: dict(pair.split("=") for pair in pairs.split()) for struct, pairs in _NAMED.items()}


def go_type(struct: str, field: str, type: str) -> str:
    """The Go type of a value of *type* in *field* of *struct*: ``[]v1.Container``, ``map[string]string``."""
    if type.startswith("[]"):
        return "[]" + go_type(struct, field, schema.item(type))
    if type == "{}quantity":
        return "v1.ResourceList"
    if type.startswith("{}"):
        return "map[string]" + go_type(struct, field, schema.item(type))
    if type in _PLAIN:
        return _TABLE.get(struct, {}).get(field, _PLAIN[type])
    return ".".join(type.split(".")[-2:])
