"""Fields that would change what happens in a real cluster and change nothing here. Whoever sets one is told so.

A field is named by its path; ``[]`` stands for every item of a list. What is simulated in full, or changes only what
nobody can see here (names, labels, messages), is not in the list.
"""

_CONTAINER = (
    "command",
    "args",
    "env[].valueFrom",
    "envFrom",
    "volumeMounts",
    "volumeDevices",
    "lifecycle.postStart",
    "securityContext",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
)
POD_SPEC = (
    "volumes",
    "initContainers",
    "activeDeadlineSeconds",
    "serviceAccountName=default",
    "serviceAccount=default",
    "securityContext",
    "imagePullSecrets",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
    "hostname",
    "subdomain",
    "hostAliases",
    "dnsPolicy=ClusterFirst",
    "dnsConfig",
    "readinessGates",
    "resourceClaims",
    "schedulingGroup",
    *(f"containers[].{field}" for field in _CONTAINER),
)


def under(path: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """*fields* as a kind that holds them at *path* names them."""
    return tuple(f"{path}.{field}" for field in fields)
