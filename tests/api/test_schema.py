"""The fields of Kubernetes' objects are published facts: derived, never typed."""

from pathlib import Path

import pytest

from kubemini.api import kinds, schema
from kubemini.api.patch import published
from kubemini.api.schema import custom, described
from kubemini.api.schema.decode import DEEPEST, decode, read_json
from tests.oracles.kubernetes.schema import OUT, derived


def test_deriving_the_schema_again_gives_the_same_bytes():
    for name, text in derived().items():
        assert (OUT / name).read_text(encoding="utf-8") == text, "run make schema"


def test_every_resource_that_discovery_names_has_its_fields():
    assert [known for known in kinds.KNOWN if schema.of_kind(*known) is None and custom.of(*known) is None] == []
    assert len(kinds.KNOWN) > 50


def test_the_schema_tells_types_merge_keys_and_what_is_required():
    ports = schema.definition("core.v1.ServiceSpec").fields["ports"]
    assert (ports.type, ports.merge, ports.list, ports.keys) == (
        "[]core.v1.ServicePort",
        "port",
        "map",
        ("port", "protocol"),
    )
    assert schema.definition("core.v1.Container").required == ("name",)
    deployment = schema.of_kind("apps/v1", "Deployment")
    assert deployment and deployment.fields["spec"].type == "apps.v1.DeploymentSpec"
    assert schema.definition("apps.v1.DeploymentSpec").fields["strategy"].strategy == ("retainKeys",)


def test_a_key_of_an_element_that_is_left_out_is_what_is_published():
    lists = [field for name in schema.names() for field in schema.definition(name).fields.values() if field.keys]
    compared = 0
    for field in lists:
        item = schema.item(field.type)
        told = [described.schema(f"{where}.{item}") for where in ("io.k8s.api", "io.k8s.apimachinery.pkg.apis")]
        for known in filter(None, told):
            fields = known["properties"]
            default = {key: fields[key]["default"] for key in field.keys if "default" in fields[key]}
            assert published.shape(field.type, field.list, field.keys).defaults == default, field
            compared += 1
    assert compared > 50


def test_no_prose_and_no_added_null_came_along():
    text = (Path(schema.__file__).with_name("definitions.txt")).read_text(encoding="utf-8")
    assert "null" not in text.split() and max(map(len, text.splitlines())) < 200


def pod(**spec):
    return decode({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, "v1", "Pod")


WRONG = [  # (value, kind, the decoder's words), recorded from a kube-apiserver 1.37.2 or by its rules
    ({"data": {"k": 1}}, "ConfigMap", "number into Go struct field ConfigMap.data of type string"),
    ({"metadata": {"name": 5}}, "ConfigMap", "number into Go struct field ObjectMeta.metadata.name of type string"),
    (
        {"metadata": {"labels": {"a": True}}},
        "ConfigMap",
        "bool into Go struct field ObjectMeta.metadata.labels of type string",
    ),
    ({"data": "x"}, "ConfigMap", "string into Go struct field ConfigMap.data of type map[string]string"),
    ({"spec": "x"}, "Pod", "string into Go struct field Pod.spec of type v1.PodSpec"),
    ({"spec": {"affinity": "x"}}, "Pod", "string into Go struct field PodSpec.spec.affinity of type v1.Affinity"),
    ({"spec": {"priority": "high"}}, "Pod", "string into Go struct field PodSpec.spec.priority of type int32"),
    (
        {"spec": {"priority": 2**31}},
        "Pod",
        "number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
    ),
    (
        {"spec": {"containers": {}}},
        "Pod",
        "object into Go struct field PodSpec.spec.containers of type []v1.Container",
    ),
    (
        {"spec": {"restartPolicy": 5}},
        "Pod",
        "number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    ),
]


@pytest.mark.parametrize("value, kind, words", WRONG, ids=[words for *_, words in WRONG])
def test_a_wrong_type_is_told_as_gos_decoder_tells_it(value, kind, words):
    assert decode(value, "v1", kind).error == f"json: cannot unmarshal {words}"


def test_of_several_wrong_types_the_first_in_the_text_counts_but_a_type_that_reads_itself_counts_more():
    both = pod(affinity="x", overhead={"cpu": "lots"})
    assert "quantities must match" in both.error and both.place == ("spec", "overhead", "cpu")
    assert "Affinity" in pod(affinity="x", priority="y").error


@pytest.mark.parametrize(
    "text, words",
    [
        ("soon", 'parsing time "soon" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "soon" as "2006"'),
        ("2026-01-01T00:00:00Z", 'cannot parse "Z" as ".000000"'),
        ("2026-13-01T00:00:00.000000Z", 'parsing time "2026-13-01T00:00:00.000000Z": month out of range'),
        ("2026-02-29T00:00:00.000000Z", "day out of range"),
        ("2026-01-01T00:00:00.000000Z!", 'extra text: "!"'),
        ("2026-01-01T00:00:00.000000+02:00", ""),
    ],
)
def test_an_instant_is_read_as_go_reads_it(text, words):
    error = decode({"spec": {"renewTime": text}}, "coordination.k8s.io/v1", "Lease").error
    assert error.endswith(words) and bool(error) == bool(words)


@pytest.mark.parametrize(
    "text, words",
    [("YQ==", ""), ("YQ", "illegal base64 data at input byte 0"), ("YQ=!", "illegal base64 data at input byte 2")],
)
def test_bytes_are_base64(text, words):
    assert decode({"data": {"k": text}}, "v1", "Secret").error == words


@pytest.mark.parametrize(
    "octets, read, words",
    [
        ([65, 66, None], "QUIA", ""),
        ([], "", ""),
        ([256], "", "cannot unmarshal number 256 into Go struct field Secret.data of type uint8"),
        ([1.5], "", "cannot unmarshal number 1.5 into Go struct field Secret.data of type uint8"),
        ([True, "x"], "", "cannot unmarshal bool into Go struct field Secret.data of type uint8"),
    ],
)
def test_bytes_may_be_a_list_of_numbers_too(octets, read, words):
    found = decode({"data": {"k": octets}}, "v1", "Secret")
    assert found.error.endswith(words) and bool(found.error) == bool(words) and found.value["data"] == {"k": read}


def test_a_quantity_is_kept_as_it_is_stored():
    memory = {"a": "8286208Ki", "b": "3Ki", "c": 0.5, "d": 2}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {}, "status": {"allocatable": memory}}
    read = decode(node, "v1", "Node").value["status"]["allocatable"]
    assert read == {"a": "8092Mi", "b": "3Ki", "c": "500m", "d": "2"}


def test_unknown_and_doubled_fields_are_told_each_and_dropped():
    text = '{"metadata": {"name": "a"}, "data": {"k": "v", "k": "w"}, "dta": 1, "spec": {"x": {}}}'
    found = decode(read_json(text), "v1", "ConfigMap")
    assert found.strict == ['duplicate field "data.k"', 'unknown field "dta"', 'unknown field "spec"']
    assert found.value == {"metadata": {"name": "a"}, "data": {"k": "w"}}


def test_null_is_absent_in_a_field_and_zero_in_a_list_or_a_map():
    found = pod(containers=[None], nodeSelector={"a": None}, affinity=None).value["spec"]
    assert found == {"containers": [{"name": ""}], "nodeSelector": {"a": ""}}


def test_what_go_always_writes_is_there_so_nobody_misses_a_key():
    spec = pod(containers=[{}], topologySpreadConstraints=[{"maxSkew": 1}]).value["spec"]
    assert spec["topologySpreadConstraints"] == [{"maxSkew": 1, "topologyKey": "", "whenUnsatisfiable": ""}]


def test_a_good_object_is_not_copied():
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    assert decode(value, "v1", "ConfigMap").value is value


def test_a_body_without_a_floor_is_refused_without_walking_it():
    value = leaf = []
    for _ in range(100 * DEEPEST):
        leaf.append([])
        leaf = leaf[0]
    assert decode({"data": value}, "v1", "ConfigMap").error == "exceeded max depth"
