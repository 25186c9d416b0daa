"""What a program in a container finds there: its variables, where they come from, and its files."""

import pytest

from kubemini.kubelet.decide import insides
from kubemini.kubelet.decide.variables import World, Wrong, amount, expanded, field_of, needed, parse_file, variables
from tests.kubelet.parts import pod

CM, SECRET = ("configmap", "cm"), ("secret", "s")
OBJECTS = {CM: {"data": {"a": "1", "b": "2"}}, SECRET: {"data": {"pw": "eA=="}}}


def told(env=(), env_from=(), objects=None, **world):
    made = pod(container={"env": list(env), "envFrom": list(env_from), **world.pop("container", {})})
    return variables(World(made, made["spec"]["containers"][0], objects=objects or OBJECTS, **world))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$(A)-$(B)", "1-2"),
        ("$(NONE)", "$(NONE)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(A", "$(A"),
        ("$()", "$()"),
    ],
)
def test_a_reference_is_expanded_and_a_doubled_dollar_is_one(text, said):
    assert expanded(text, {"A": "1"}, {"A": "0", "B": "2"}) == said


def test_a_variable_may_refer_to_those_before_it_and_to_services_but_not_to_those_after():
    env = [{"name": "A", "value": "$(B)"}, {"name": "B", "value": "$(H)"}, {"name": "C", "value": "$(B)$(a)"}]
    found = told(env, [{"configMapRef": {"name": "cm"}}], services={"H": "10.96.0.1", "B": "service"})
    assert found == {"a": "1", "b": "2", "A": "service", "B": "10.96.0.1", "C": "10.96.0.11", "H": "10.96.0.1"}


def test_env_beats_env_from_and_both_beat_services_which_come_last():
    env = [{"name": "a", "value": "mine"}]
    from_both = [{"configMapRef": {"name": "cm"}}, {"prefix": "P_", "secretRef": {"name": "s"}}]
    found = told(env, from_both, services={"b": "x", "Z": "z"})
    assert list(found.items()) == [("b", "2"), ("P_pw", "x"), ("a", "mine"), ("Z", "z")]


def test_keys_are_taken_from_their_objects_and_what_is_optional_may_be_missing():
    env = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}},
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "s", "key": "pw"}}},
        {"name": "N", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "none", "optional": True}}},
        {"name": "M", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k", "optional": True}}},
    ]
    assert told(env, [{"configMapRef": {"name": "gone", "optional": True}}]) == {"A": "1", "P": "x"}
    made = pod(container={"env": env, "envFrom": [{"configMapRef": {"name": "gone"}}]})
    assert list(needed(made["spec"]["containers"][0]))[:2] == [("configmap", "gone"), CM]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "k"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "none", "key": "k"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "cm", "key": "k"}}, "couldn't find key k in ConfigMap default/cm"),
        ({"secretKeyRef": {"name": "s", "key": "k"}}, "couldn't find key k in Secret default/s"),
        (
            {"fileKeyRef": {"volumeName": "v", "path": "e.env", "key": "K"}},
            'environment variable key "K" not found in file '
            '"/var/lib/kubelet/pods/uid-web-1/volumes/kubernetes.io~empty-dir/v/e.env"',
        ),
    ],
)
def test_what_is_missing_is_named_in_the_kubelets_words(source, why):
    with pytest.raises(Wrong) as error:
        told([{"name": "A", "valueFrom": source}], read=lambda volume, path: "X='y'\n")
    assert str(error.value) == why


def test_the_downward_api_says_fields_of_the_pod():
    made = {**pod(nodeName="n1", serviceAccountName="default")}
    made["metadata"] = {**made["metadata"], "labels": {"tier": 'a"b', "app": "web"}, "annotations": {"k/x": "v"}}
    ips = ("10.244.1.2", "fd00::2"), ("192.168.0.101",)
    said = {
        "metadata.name": "web-1",
        "metadata.uid": "uid-web-1",
        "metadata.labels['app']": "web",
        "metadata.annotations['k/x']": "v",
        "metadata.annotations['none']": "",
        "metadata.labels": 'app="web"\ntier="a\\"b"',
        "spec.nodeName": "n1",
        "spec.serviceAccountName": "default",
        "status.podIP": "10.244.1.2",
        "status.podIPs": "10.244.1.2,fd00::2",
        "status.hostIP": "192.168.0.101",
    }
    assert {path: field_of(made, path, *ips) for path in said} == said


@pytest.mark.parametrize(
    ("resource", "divisor", "said"),
    [
        ("limits.cpu", None, "2"),
        ("limits.cpu", "1m", "1500"),
        ("requests.cpu", "1m", "0"),
        ("limits.memory", "1Mi", "64"),
        ("limits.memory", None, "67108864"),
        ("requests.memory", "1Ki", "1000"),
        ("limits.ephemeral-storage", "1Gi", "10"),
    ],
)
def test_the_downward_api_rounds_resources_up_and_an_absent_limit_is_the_nodes(resource, divisor, said):
    made = pod(
        container={"resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"memory": "1000Ki"}}}
    )
    ref = {"resource": resource} | ({"divisor": divisor} if divisor else {})
    assert amount(made, made["spec"]["containers"][0], ref, {"ephemeral-storage": "10Gi"}) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A='x'", "x"),
        ("# no\n\n  A='x' # yes", "x"),
        ("A='one\ntwo'\n", "one\ntwo"),
        ("A= 'x'", ""),
        ("B='x'", None),
    ],
)
def test_a_file_of_variables_is_read(text, said):
    assert parse_file(text, "A") == said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A", "at line 1: missing '='"),
        ("\n='x'", "at line 2: empty variable name"),
        ("A ='x'", "at line 1: whitespace before '=' is not allowed"),
        ("A=x", "at line 1: value must be enclosed in single quotes"),
        ("A='x' y", "at line 1: unexpected content after closing quote"),
        ("A='x", "starting at line 1: unclosed single quote"),
    ],
)
def test_a_file_that_is_none_is_refused(text, why):
    with pytest.raises(Wrong, match=r"^invalid environment variable format ") as error:
        parse_file(text, "A")
    assert str(error.value).endswith(why)


def test_a_container_knows_its_name_and_its_neighbours():
    made = pod(subdomain="sub", hostAliases=[{"ip": "10.0.0.1", "hostnames": ["db", "cache"]}])
    found = insides.facts(made, ["10.1.2.3"], "conf\n", "n1")
    assert found.hostname == "web-1" and found.files["/etc/resolv.conf"] == "conf\n"
    assert "10.1.2.3\tweb-1.sub.default.svc.cluster.local\tweb-1\n" in found.files["/etc/hosts"]
    assert found.files["/etc/hosts"].endswith("\n# Entries added by HostAliases.\n10.0.0.1\tdb\tcache\n")
    assert insides.hostname(pod(hostNetwork=True), "n1") == "n1"


def test_a_pod_with_a_subdomain_has_a_long_name_and_one_whose_name_is_overridden_none():
    def seen(**spec):
        found = insides.facts(pod("p", **spec), ["10.1.2.3"], "", "n1")
        return found.hostname, found.files["/etc/hosts"].splitlines()[7].split("\t")[1:]

    long = "web-0.web.default.svc.cluster.local"
    assert seen() == ("p", ["p"])
    assert seen(hostname="web-0", subdomain="web") == ("web-0", [long, "web-0"])
    assert seen(hostname="web-0", subdomain="web", setHostnameAsFQDN=True) == (long, [long, "web-0"])
    assert seen(hostname="web-0", setHostnameAsFQDN=True) == ("web-0", ["web-0"])
    assert seen(hostname="web-0", subdomain="web", hostnameOverride="a.b") == ("a.b", ["a.b"])
