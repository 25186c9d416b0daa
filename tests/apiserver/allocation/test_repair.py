"""What the API server's repair loop says and does about IPAddresses that do not tell the truth."""

import pytest

from kubemini.api.kinds import IP_ADDRESS
from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide.allocation import repair, services
from kubemini.cluster import Cluster
from kubemini.params import Params
from kubemini.sim.units import SECOND
from tests.apiserver.parts import service

KEY, RANGES, NOW = services.IP_KEY + "10.96.7.7", ["10.96.0.0/16"], 100 * SECOND
WEB = evolve(
    service(clusterIP="10.96.7.7", clusterIPs=["10.96.7.7"]), ("metadata",), {"namespace": "default", "name": "web"}
)
WEB = freeze({**WEB, "metadata": {**WEB["metadata"], "uid": "web", "creationTimestamp": timestamp(0)}})
OTHER = evolve(WEB, ("metadata", "name"), "other")
BARE = evolve(evolve(OTHER, ("spec", "clusterIPs"), ["None"]), ("spec", "clusterIP"), "None")
TOLD = "Cluster IP [IPv4]: 10.96.7.7 is not"
WRONG = "the ClusterIP [IPv4]: 10.96.7.7 for Service default/web has a wrong reference; repairing"


def an_address(of="web", born=0, labels=True, **parent):
    meta = {"name": "10.96.7.7", "uid": "ip", "creationTimestamp": timestamp(born)}
    meta["labels"] = {services.FAMILY: "IPv4", services.MANAGED_BY: services.ALLOCATOR} if labels else {}
    named = {"resource": "services", "namespace": "default", "name": of, **parent}
    kind = {"apiVersion": IP_ADDRESS.api_version, "kind": IP_ADDRESS.kind}
    return freeze({**kind, "metadata": meta, "spec": {"parentRef": named}})


def found(known, there, ranges=RANGES, **how):
    """(reason, message) of each Warning; for each repair whether something is to stand there."""
    wrong = repair.wrong(known, {KEY: there} if there else {}, ranges, NOW, **how)
    return [(said.reason, said.message) for said in wrong.said], [one.wanted is not None for one in wrong.repairs]


def test_what_is_right_is_left_alone():
    assert found([WEB], an_address()) == ([], []) and found([BARE], None) == ([], [])


def test_an_address_that_is_missing_is_put_back_when_it_is_the_services_turn():
    assert found([WEB], None) == ([("ClusterIPNotAllocated", f"{TOLD} allocated; repairing")], [True])
    assert found([WEB], None, looked_at=False) == ([], [])


def test_one_outside_of_all_ranges_is_only_told():
    why = f"{TOLD} within any configured Service CIDR; please recreate service"
    assert found([WEB], None, ["10.97.0.0/16"]) == ([("ClusterIPOutOfRange", why)], [])


@pytest.mark.parametrize("there", [an_address("gone"), an_address(resource="pods"), an_address(group="x")])
def test_one_that_names_nobody_is_made_anew(there):
    assert found([WEB], there) == ([("ClusterIPNotAllocated", WRONG)], [True])


def test_one_that_another_service_has_as_well_is_told_and_stays():
    why = "Cluster IP [IPv4]:10.96.7.7 was assigned to multiple services; please recreate service"
    assert found([WEB, OTHER], an_address("other")) == ([("ClusterIPAlreadyAllocated", why)], [])


def test_one_without_its_labels_is_made_anew_in_silence():
    assert found([WEB], an_address(labels=False)) == ([], [True])


def test_one_whose_service_is_not_there_goes_after_its_first_minute():
    text = "IPAddress: 10.96.7.7 for Service default/gone appears to have leaked: cleaning up"
    assert found([], an_address("gone")) == ([("IPAddressNotAllocated", text)], [False])
    assert found([], an_address("gone", born=NOW - 59 * SECOND)) == ([], [])
    assert found([], an_address("gone", labels=False)) == ([], [])  # somebody's own


def test_one_whose_service_has_another_goes_unless_the_service_may_be_changing():
    text = "IPAddress: 10.96.7.7 for Service default/other has a wrong reference; cleaning up"
    gone = [("IPAddressWrongReference", text)], [False]
    assert found([BARE], an_address("other")) == gone
    assert found([BARE], an_address("other", born=NOW - 4 * SECOND)) == ([], [])
    named = evolve(BARE, ("spec", "type"), "ExternalName")
    assert found([named], an_address("other", born=NOW - 59 * SECOND)) == ([], [])


def test_one_that_names_no_service_at_all_goes_at_once():
    said, repairs = found([], an_address("p", born=NOW, resource="pods"))
    start = "IPAddress 10.96.7.7 appears to have been modified, not referencing a Service"
    assert said == [("IPAddressNotAllocated", f"{start} &{{ pods default p}}: cleaning up")] and repairs == [False]


def test_the_service_is_told_by_an_event_when_its_address_comes_back():
    cluster = Cluster.single(workers=0, params=Params(record_events=True))
    cluster.run("5s")
    answers = []

    def ask(verb, path, body=None):
        cluster.user.call_api(verb, path, freeze(body), {}).callbacks.append(lambda e: answers.append(e.value))
        cluster.run("1s")
        assert answers[-1].ok, answers[-1].error
        return answers[-1].value

    ask("POST", "/api/v1/namespaces/default/services", service(clusterIP="10.96.7.7"))
    ask("DELETE", IP_ADDRESS.path("", "10.96.7.7"))
    cluster.run("180s")
    (told,) = [e for e in ask("GET", "/api/v1/namespaces/default/events")["items"] if e["reason"].startswith("Cluster")]
    assert told["message"] == f"{TOLD} allocated; repairing" and told["type"] == "Warning"
    assert told["involvedObject"]["kind"] == "Service" and told["reportingComponent"] == repair.SOURCE
