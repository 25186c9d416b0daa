"""Derive how Go names the fields of Kubernetes' internal types: what a refusal prints when it shows a struct.

    python -m tests.oracles.kubernetes.internals     writes kubemini/api/schema/internals.txt

Read from pkg/apis/*/types.go of the released source, which lies in Go's module cache.
"""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parents[3]
TARGET = HERE / "kubemini/api/schema/internals.txt"
GROUPS = [
    "admissionregistration",
    "apps",
    "authorization",
    "autoscaling",
    "batch",
    "core",
    "discovery",
    "flowcontrol",
    "networking",
    "node",
    "policy",
    "rbac",
    "resource",
    "scheduling",
    "storage",
    "storagemigration",
]
ROOTS = [
    "core.PodTemplateSpec",
    "core.PersistentVolumeClaim",
    "core.PersistentVolumeSpec",
    "core.NodeSelector",
    "core.Taint",
    "core.Toleration",
    "core.ObjectReference",
    "core.EventSource",
    "core.EventSeries",
    "apps.DeploymentStrategy",
    "apps.StatefulSetUpdateStrategy",
    "apps.DaemonSetUpdateStrategy",
    "batch.JobSpec",
    "policy.PodDisruptionBudgetSpec",
    "autoscaling.HorizontalPodAutoscalerSpec",
    "authorization.ResourceAttributes",
    "authorization.NonResourceAttributes",
    "rbac.RoleRef",
    "rbac.PolicyRule",
    "rbac.Subject",
    "flowcontrol.PriorityLevelConfigurationSpec",
    "flowcontrol.FlowSchemaSpec",
    "networking.IngressSpec",
    "networking.NetworkPolicySpec",
    "storage.StorageClass",
    "storage.CSIDriverSpec",
    "storage.VolumeAttachmentSpec",
    "storage.CSINodeDriver",
    "storagemigration.StorageVersionMigrationSpec",
    "resource.ResourceClaimSpec",
    "resource.ResourceClaimTemplateSpec",
    "resource.ResourceSliceSpec",
    "admissionregistration.Validation",
    "admissionregistration.ParamRef",
    "admissionregistration.MatchResources",
    "discovery.Endpoint",
]
SCALARS = {"string", "bool", "int", "int32", "int64", "float64", "byte"}
LEAVES = {"resource.Quantity": "quantity", "intstr.IntOrString": "int-or-string", "metav1.Time": "time"}
TEXTS = {"types.UID": "string", "metav1.ConditionStatus": "string", "types.NodeName": "string"}
HEAD = (
    "# The internal types of Kubernetes 1.37 as Go prints them. Derived by `python -m "
    "tests.oracles.kubernetes.internals`; do not edit.\n"
    "#   type\n#    Field type [written as]; a bare type is embedded\n"
)


def source():
    """The folder of the release's source, or None."""
    cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=False).stdout.strip()
    found = Path(cache) / "k8s.io/kubernetes@v1.37.2/pkg/apis"
    return found if cache and found.exists() else None


def read(folder):
    """(struct → its fields, alias → what it stands for), by ``group.Name``."""
    structs, aliases = {}, {}
    for group in GROUPS:
        text = re.sub(r"//[^\n]*", "", (folder / group / "types.go").read_text(encoding="utf-8"))
        for name, body in re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S):
            structs[f"{group}.{name}"] = [line.split(None, 2) for line in body.splitlines() if line.strip()]
        for name, other in re.findall(r"^type (\w+) (?:= )?([\w.*\[\]]+)$", text, re.M):
            aliases.setdefault(f"{group}.{name}", (group, other))
    return structs, aliases


def named(group, type, structs, aliases):
    """A Go type in the words of internals.txt."""
    for prefix, short in (("*", "*"), ("[]", "[]"), ("map[string]", "{}")):
        if type == "[]byte":
            return "bytes"
        if type.startswith(prefix):
            return short + named(group, type[len(prefix) :], structs, aliases)
    if type.startswith("map["):
        return "{}" + named(group, type.partition("]")[2], structs, aliases)
    if type in LEAVES or type in TEXTS or type in SCALARS:
        return LEAVES.get(type) or TEXTS.get(type) or type
    full = type.replace("api.", "core.") if "." in type else f"{group}.{type}"
    if full in structs or full.startswith("metav1."):
        return full
    if full in aliases:
        inside, other = aliases[full]
        return named(inside, other, structs, aliases)
    return "json"


def main():
    folder = source()
    assert folder, "the source of Kubernetes is not in Go's module cache: run make oracles"
    TARGET.write_text(derived(folder), encoding="utf-8")


def derived(folder):
    """The whole file."""
    structs, aliases = read(folder)
    waiting, done, lines = list(ROOTS), {}, []
    while waiting:
        name = waiting.pop()
        if name in done or name not in structs:
            continue
        done[name] = fields = []
        group = name.partition(".")[0]
        for words in structs[name]:
            tag = re.search(r'json:"([^",]*)', words[2] if len(words) > 2 else "")
            if len(words) == 1 or words[1].startswith("`"):
                type = named(group, words[0], structs, aliases)
                fields.append(f" {type}")
            else:
                type = named(group, words[1], structs, aliases)
                fields.append(f" {words[0]} {type}" + (f" {tag[1]}" if tag and tag[1] else ""))
            waiting.append(type.lstrip("*[]{}"))
    for name in sorted(done):
        lines += [name, *done[name]]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
