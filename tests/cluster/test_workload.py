"""Steady clients: what a scenario may ask for, and the sentence for what it may not."""

import pytest

from kubemini.cluster import Cluster, WorkloadError, build, read_workload
from kubemini.cluster.workload import custom

ETCD, SINGLE = build("etcd", spares=1), build("single")


@pytest.mark.parametrize(
    ("workload", "sentence"),
    [
        (
            5,
            "^workload: expected a mapping of visitors, callers, clients, outsiders,",
        ),
        ({"reads": {}}, "^workload: 'reads' is not known here; there are: visitors"),
        ({"etcd_writes": None}, r"^workload\.etcd_writes: expected a mapping of every, member, size, got None"),
        (
            {"etcd_writes": {"member": "nope"}},
            "'nope' is not an etcd member of this cluster; there are: etcd-1, etcd-2",
        ),
        ({"etcd_writes": {"member": 5}}, "5 is not an etcd member"),
        ({"etcd_writes": {"size": 10**12}}, r"etcd_writes\.size: expected a whole number from 0 to 10485760, got 1000"),
        ({"etcd_writes": {"size": -5}}, "expected a whole number from 0 to 10485760, got -5"),
        ({"etcd_writes": {"size": "big"}}, "expected a whole number"),
        ({"etcd_writes": {"size": True}}, "expected a whole number"),
        ({"etcd_writes": {"every": "0s"}}, r"etcd_writes\.every: the shortest interval is 1ms, got '0s'"),
        ({"etcd_writes": {"every": "-1s"}}, "every: expected a duration from 1ms"),
        ({"etcd_writes": {"every": "1e9d"}}, "every: expected a duration from 1ms"),
        ({"etcd_writes": {"every": None}}, "every: expected a duration"),
        ({"etcd_writes": {"often": "1s"}}, r"workload\.etcd_writes\.often is not known here; there are: every, member"),
        ({"etcd_reads": {"consistency": "strong"}}, "expected linearizable or serializable, got 'strong'"),
        ({"outsiders": {"urls": ["a.io/"]}}, r"workload\.outsiders: an etcd topology has no API server"),
        ({"visitors": {"service": "web"}}, r"workload\.visitors: an etcd topology has no API server; leave it out"),
        ({"api_writes": {}}, r"workload\.api_writes: an etcd topology has no API server"),
        ({"webhook": {"service": "a/b"}}, r"workload\.webhook: an etcd topology has no API server"),
    ],
)
def test_a_load_that_cannot_be_had_is_one_sentence(workload, sentence):
    with pytest.raises(WorkloadError, match=sentence) as error:
        read_workload(ETCD, workload)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({}, "service is missing"), ({"service": ""}, "the name of a Service"), ({"service": 5}, "the name of a Service")],
)
def test_visitors_visit_a_service(options, sentence):
    with pytest.raises(WorkloadError, match=sentence):
        read_workload(SINGLE, {"visitors": options})


CALLING = build("single", workers=1, callers=True)


@pytest.mark.parametrize(
    ("topology", "options", "sentence"),
    [
        (CALLING, {"services": "web"}, r"workload\.callers: pods is missing; it names workloads, such as web,api"),
        (CALLING, {"pods": "web"}, r"services is missing; it names Services"),
        (
            CALLING,
            {"pods": "web,,api", "services": "web"},
            r"pods: expected workloads with commas, such as web,api, got",
        ),
        (CALLING, {"pods": "web", "services": 5}, r"services: expected Services with commas"),
        (CALLING, {"pods": "web", "services": "api", "keep": 1}, r"keep: expected true or false, got 1"),
        (SINGLE, {"pods": "web", "services": "api"}, r"no pod of this topology calls another; ask for callers: true"),
        (
            CALLING,
            {"pods": "web", "services": "api", "names": True},
            r"callers\.names: nobody answers names",
        ),
        (
            CALLING,
            {"pods": "web", "services": "api", "options": "ndots:2"},
            r"callers\.options: these callers look",
        ),
    ],
)
def test_callers_have_workloads_and_services_and_a_topology_that_lets_them(topology, options, sentence):
    with pytest.raises(WorkloadError, match=sentence):
        read_workload(topology, {"callers": options})


KEEPING = build("single", workers=1, clients=True)


@pytest.mark.parametrize(
    ("topology", "options", "sentence"),
    [
        (KEEPING, {"service": "api"}, r"^workload\.clients: pods is missing; it is the workload"),
        (KEEPING, {"pods": "web"}, r"service is missing; it is the name of a Service"),
        (
            KEEPING,
            {"pods": "web", "service": "api", "retries": -1},
            r"clients\.retries: expected a whole number from 0",
        ),
        (KEEPING, {"pods": "web", "service": "api", "jitter": "so"}, r"jitter: expected true or false; 'so' was given"),
        (KEEPING, {"pods": "web", "service": "api", "timeout": 5}, r"timeout: expected a duration"),
        (KEEPING, {"pods": "web", "service": "api", "patience": "1s"}, r"clients\.patience is not known here"),
        (SINGLE, {"pods": "web", "service": "api"}, r"no pod of this topology keeps connections; ask for topology"),
    ],
)
def test_clients_have_pods_and_a_service_and_a_topology_that_lets_them(topology, options, sentence):
    with pytest.raises(WorkloadError, match=sentence):
        read_workload(topology, {"clients": options})


def test_what_is_said_of_clients_is_what_their_pods_do():
    (load,) = read_workload(KEEPING, {"clients": {"pods": "web, shop", "service": "api", "every": "2s", "http2": True}})
    told = custom(load)
    assert (told.workloads, told.service, told.every, told.habits.http2) == (("web", "shop"), "api", 2_000_000, True)
    assert told.patience.retries == 0


def test_visitors_need_workers_to_sit_on():
    with pytest.raises(WorkloadError, match="visitors sit on workers and this topology has none"):
        read_workload(build("single", workers=0), {"visitors": {"service": "web"}})


def test_a_spare_may_be_written_to_once_it_is_a_member():
    (load,) = read_workload(ETCD, {"etcd_writes": {"member": "etcd-4", "every": 2}})
    assert (load.kind, load.every, load.options) == ("etcd_writes", 2_000_000, {"member": "etcd-4"})


def test_nothing_is_changed_by_a_load_that_is_refused():
    cluster = Cluster(ETCD)
    with pytest.raises(WorkloadError):
        cluster.prepare(workload={"etcd_writes": {}, "etcd_reads": {"member": "nope"}})
    assert cluster.user.work_list == []
    with pytest.raises(WorkloadError, match=r"^manifests: an etcd topology has no API server"):
        cluster.prepare("kind: Pod")
    for wrong in (5, ["a"], {"kind": "Pod"}):
        with pytest.raises(WorkloadError, match=r"^manifests: expected a text"):
            Cluster(SINGLE).prepare(wrong)


@pytest.mark.parametrize(
    ("options", "ingress", "sentence"),
    [
        ({}, True, "urls is missing; it is a list such as"),
        ({"urls": "a.io/"}, True, r"expected a list such as \[shop.example/cart\], got 'a.io/'"),
        ({"urls": []}, True, "expected a list"),
        ({"urls": ["a.io/"]}, False, "there is no way in from outside; ask for topology"),
    ],
)
def test_outsiders_need_urls_and_a_way_in(options, ingress, sentence):
    with pytest.raises(WorkloadError, match=sentence):
        read_workload(build("single", workers=1, ingress=ingress), {"outsiders": options})


@pytest.mark.parametrize("options", [{}, {"service": "guard"}])
def test_a_webhook_is_named_with_its_namespace(options):
    with pytest.raises(WorkloadError, match=r"workload\.webhook: .* such as guard/guard"):
        read_workload(SINGLE, {"webhook": options})


def test_whoever_runs_gets_no_other_webhook():
    cluster = Cluster.single(workers=1)
    cluster.use_webhook("guard/guard", lambda review: review)
    cluster.run(1)
    with pytest.raises(ValueError, match="use_webhook: the cluster runs already; make a new one"):
        cluster.use_webhook("guard/guard", lambda review: review)
