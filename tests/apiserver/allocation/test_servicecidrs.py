"""ServiceCIDRs decide which addresses Services get, at every API server; IPAddresses stand for what is given."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.kinds import IP_ADDRESS, SERVICE, SERVICE_CIDR
from kubemini.api.objects import thaw
from kubemini.api.usage.quota import QUOTA
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.allocation.cidrs import Known, default
from tests.apiserver.parts import done, pool, refusal, service
from tests.worlds.kube import World

FULL = 'Internal error occurred: failed to allocate a serviceIP for Service "web": range is full'


def cidr(name, *ranges):
    meta, spec = {"name": name}, {"cidrs": list(ranges)}
    return {"apiVersion": SERVICE_CIDR.api_version, "kind": SERVICE_CIDR.kind, "metadata": meta, "spec": spec}


def address(ip, parent="x"):
    spec = {"parentRef": {"resource": "services", "namespace": "default", "name": parent}}
    return {"apiVersion": IP_ADDRESS.api_version, "kind": IP_ADDRESS.kind, "metadata": {"name": ip}, "spec": spec}


def known(*objects, flag=("10.96.0.0/28",)):
    return Known(flag, {o["metadata"]["name"]: o for o in objects}, 7)


def given(taken, known, **spec):
    """The address that a new Service gets when these are *taken*; the text if it gets none."""
    keys = {services.IP_KEY + ip for ip in taken}
    made = services.allocated(service(**spec), None, pool(known=known, taken=keys))
    return made.message if isinstance(made, ApiError) else made["spec"]["clusterIP"]


def all_given(known, **spec):
    """Address after address, until there is none."""
    found = []
    while (ip := given(found, known, **spec)) != FULL:
        found.append(ip)
    return found


# -- what is given -----------------------------------------------------------------------------------------------------


def test_every_address_of_a_range_is_given_once_and_the_static_band_last():
    found = [int(ip.rpartition(".")[2]) for ip in all_given(Known(("10.96.0.0/27",)))]
    assert sorted(found[:14]) == list(range(17, 31)) and sorted(found[14:]) == list(range(1, 17))


def test_who_asks_for_an_address_of_the_band_has_it_and_no_range_gives_its_ends():
    whole = Known(("10.96.0.0/27",))
    assert given((), whole, clusterIP="10.96.0.3") == "10.96.0.3"
    for ip in ("10.96.0.0", "10.96.0.31", "10.96.0.32"):
        assert "the provided network does not match the current range" in given((), whole, clusterIP=ip)


def test_a_second_service_cidr_gives_addresses_when_the_first_is_full():
    both = known(default(("10.96.0.0/28",), 0), cidr("more", "10.97.0.0/29"))
    found = all_given(both)
    assert len(found) == len(set(found)) == 14 + 6


def test_ranges_that_overlap_never_give_an_address_twice():
    found = all_given(known(cidr("a", "10.97.0.0/29"), cidr("b", "10.97.0.0/28"), cidr("c", "10.97.0.0/29")))
    assert sorted(found) == sorted(f"10.97.0.{n}" for n in range(1, 15))


@pytest.mark.parametrize("change", ["not ready", "being deleted"])
def test_a_service_cidr_that_is_not_ready_gives_nothing(change):
    new = thaw(default(("10.97.0.0/29",), 0))
    if change == "not ready":
        new["status"]["conditions"][0]["status"] = "False"
    else:
        new["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert given((), known(new)) == FULL
    assert "does not match the current range" in given((), known(new), clusterIP="10.97.0.1")
    assert given((), known(new, cidr("same", "10.97.0.0/29"))).startswith("10.97.0.")


def test_a_dry_run_names_the_range_and_takes_nothing():
    made = services.allocated(service(type="NodePort"), None, pool(dry=True))["spec"]
    assert (made["clusterIP"], made["ports"][0]["nodePort"]) == ("10.96.0.0", 32769)


# -- in a world --------------------------------------------------------------------------------------------------------


@pytest.fixture
def world():
    return World(servers=2)


def ask(world, deed, server=1):
    name = f"asker-{server}"
    if name not in world.programs:
        world.program(name, [f"apiserver-{server}"])
    return world.ask(deed, name)


def test_the_default_service_cidr_is_there_for_whoever_asks_and_it_is_one(world):
    for server in (1, 2, 1):
        found = done(ask(world, lambda c: c.list(SERVICE_CIDR), server))["items"]
        assert [(o["metadata"]["name"], o["spec"]["cidrs"]) for o in found] == [("kubernetes", ["10.96.0.0/12"])]
    assert found[0]["status"]["conditions"][0]["message"] == "Kubernetes default Service CIDR is ready"
    done(ask(world, lambda c: c.delete(SERVICE_CIDR, "kubernetes", "")))
    again = done(ask(world, lambda c: c.list(SERVICE_CIDR)))["items"][0]
    assert again["metadata"]["uid"] != found[0]["metadata"]["uid"]


def test_an_ip_address_comes_and_goes_with_its_service(world):
    ip = done(ask(world, lambda c: c.create(service())))["spec"]["clusterIP"]
    (made,) = done(ask(world, lambda c: c.list(IP_ADDRESS), 2))["items"]
    assert made["metadata"]["name"] == ip and made["spec"]["parentRef"]["name"] == "web"
    assert made["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    done(ask(world, lambda c: c.delete(SERVICE, "web", "default")))
    assert done(ask(world, lambda c: c.list(IP_ADDRESS)))["items"] == []


def test_a_service_cidr_made_at_one_server_gives_addresses_at_the_other_at_once(world):
    wanted = service(clusterIP="10.200.0.3")
    assert refusal(ask(world, lambda c: c.create(wanted), 2))[0] == 422
    done(ask(world, lambda c: c.create(cidr("more", "10.200.0.0/29"))))
    assert done(ask(world, lambda c: c.create(wanted), 2))["spec"]["clusterIP"] == "10.200.0.3"
    done(ask(world, lambda c: c.delete(SERVICE_CIDR, "more", "")))
    code, text = refusal(ask(world, lambda c: c.create(service("late", clusterIP="10.200.0.4")), 2))
    assert code == 422 and "does not match the current range" in text


def test_an_address_that_somebody_holds_by_an_ip_address_of_his_own_is_not_given(world):
    done(ask(world, lambda c: c.create(address("10.96.7.7"))))
    code, text = refusal(ask(world, lambda c: c.create(service(clusterIP="10.96.7.7"))))
    assert code == 422 and text.endswith("failed to allocate IP 10.96.7.7: provided IP is already allocated")
    done(ask(world, lambda c: c.delete(IP_ADDRESS, "10.96.7.7", "")))
    assert done(ask(world, lambda c: c.create(service(clusterIP="10.96.7.7"))))


def test_addresses_that_others_hold_are_passed_over_however_many_there_are(world):
    done(ask(world, lambda c: c.create(cidr("more", "10.200.0.0/28"))))
    done(ask(world, lambda c: c.delete(SERVICE_CIDR, "kubernetes", "")))
    for number in range(1, 14):
        done(ask(world, lambda c, number=number: c.create(address(f"10.200.0.{number}"))))
    assert done(ask(world, lambda c: c.create(service()), 2))["spec"]["clusterIP"] == "10.200.0.14"
    assert refusal(ask(world, lambda c: c.create(service("one-too-many")), 1)) == (
        500,
        FULL.replace("web", "one-too-many"),
    )


def test_a_quota_is_charged_once_however_many_addresses_were_taken(world):
    done(ask(world, lambda c: c.create(cidr("more", "10.200.0.0/28"))))
    done(ask(world, lambda c: c.delete(SERVICE_CIDR, "kubernetes", "")))
    for number in range(1, 14):
        done(ask(world, lambda c, number=number: c.create(address(f"10.200.0.{number}"))))
    meta = {"name": "q", "namespace": "default"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"services": "5"}}}
    done(ask(world, lambda c: c.create(quota)))
    status = {"hard": {"services": "5"}, "used": {"services": "0"}}
    done(ask(world, lambda c: c.patch(QUOTA, "q", "default", {"status": status}, "status")))
    world.run(1)
    assert done(ask(world, lambda c: c.create(service()), 2))["spec"]["clusterIP"] == "10.200.0.14"
    assert done(ask(world, lambda c: c.get(QUOTA, "q", "default")))["status"]["used"] == {"services": "1"}


# -- set right ---------------------------------------------------------------------------------------------------------


def test_the_ip_address_of_a_service_that_somebody_deletes_is_back_within_three_minutes(world):
    done(ask(world, lambda c: c.create(service(clusterIP="10.96.7.7"))))
    done(ask(world, lambda c: c.delete(IP_ADDRESS, "10.96.7.7", "")))
    assert refusal(ask(world, lambda c: c.get(IP_ADDRESS, "10.96.7.7", "")))[0] == 404
    world.run(180)
    made = done(ask(world, lambda c: c.get(IP_ADDRESS, "10.96.7.7", "")))
    assert made["spec"]["parentRef"]["name"] == "web"


def test_an_ip_address_that_says_it_is_the_servers_and_is_nobodys_goes_after_a_minute(world):
    labels = {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
    leaked, own = address("10.96.7.8", "gone"), address("10.96.7.9", "gone")
    leaked["metadata"]["labels"] = labels
    for obj in (leaked, own):
        done(ask(world, lambda c, obj=obj: c.create(obj)))
    world.run(30)
    assert done(ask(world, lambda c: c.get(IP_ADDRESS, "10.96.7.8", "")))
    world.run(35)
    names = [o["metadata"]["name"] for o in done(ask(world, lambda c: c.list(IP_ADDRESS)))["items"]]
    assert names == ["10.96.7.9"]
