"""Names in a running cluster: CoreDNS in its pods, visitors that look up what they visit, and what hides a loss."""

import json
from collections import Counter

import pytest

from kubemini.api.kinds import EVENT
from kubemini.cluster import Cluster
from kubemini.cluster.workload import WorkloadError
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run

MANIFESTS = load("dns").manifests
VISITS = {"service": "web", "every": "500ms", "name": "web"}


def shop(dns="coredns", seed=3, **visits):
    """The shop of the scenario, whose visitors keep nothing unless they are told to."""
    cluster = Cluster.single(workers=2, seed=seed, dns=dns)
    cluster.prepare(MANIFESTS, {"visitors": VISITS | visits})
    return cluster


def lookups(trace, begin=0.0, end=1e9):
    return [r for r in trace.records if r.what == "lookup" and begin <= r.detail["started"] / SECOND < end]


def visits(trace, begin=0.0, end=1e9):
    """How many visits that began then ended how."""
    return Counter(
        r.detail["outcome"]
        for r in trace.records
        if r.what == "request" and r.actor.startswith("visitor") and begin <= r.detail["started"] / SECOND < end
    )


def test_a_kept_answer_hides_that_coredns_is_gone_until_its_time_is_over():
    trace = run("dns")
    gone = max(r.at for r in trace.records if r.what == "exit" and r.actor.startswith("coredns")) / SECOND
    assert visits(trace, end=66)["failed"] == 0
    first = next(r for r in trace.records if r.what == "lookup" and r.detail["error"])
    assert 20 < first.at / SECOND - gone < 30
    assert visits(trace, begin=68) == {"failed": visits(trace, begin=68)["failed"]}
    assert first.detail["walk"] == [["web.default.svc.cluster.local.", "A+AAAA", "refused"]]


def test_coredns_answers_for_five_seconds_after_it_was_told_to_end():
    cluster = shop()
    cluster.run("30s")
    cluster.kubectl.scale("kube-system/coredns", 0)
    cluster.run("30s")
    ends = [r.at / SECOND for r in cluster.trace.records if r.what == "exit"]
    assert len(ends) == 2
    assert all(35 <= at < 36 for at in ends)
    assert visits(cluster.trace, 10, 34.9)["failed"] == 0


def test_one_lost_packet_costs_five_seconds_and_the_retry_goes_to_the_same_server():
    cluster = shop()
    cluster.run("30s")
    cluster.net.set_loss("worker-1", "worker-2", 1.0)
    cluster.run("4s")
    cluster.net.set_loss("worker-1", "worker-2", 0.0)
    cluster.run("30s")
    slow = [r for r in lookups(cluster.trace, 30, 34) if r.at - r.detail["started"] > SECOND]
    assert slow
    assert {round((r.at - r.detail["started"]) / SECOND) for r in slow} == {5}
    assert not any(r.detail["error"] for r in slow)


def test_musl_asks_again_after_half_the_time():
    cluster = shop(libc="musl")
    cluster.run("30s")
    cluster.net.set_loss("worker-1", "worker-2", 1.0)
    cluster.run("2s")
    cluster.net.set_loss("worker-1", "worker-2", 0.0)
    cluster.run("30s")
    slow = [r for r in lookups(cluster.trace, 30, 32) if r.at - r.detail["started"] > SECOND]
    assert {(r.at - r.detail["started"]) // (SECOND // 10) for r in slow} == {25}


def test_names_go_on_without_the_api_server_until_coredns_starts_anew():
    cluster = shop()
    cluster.run("30s")
    cluster.components["apiserver-1"].crash()
    cluster.run("30s")
    assert visits(cluster.trace, 31, 59)["failed"] == 0
    for worker in ("worker-1", "worker-2"):
        cluster.components[f"coredns@{worker}"].crash()
    cluster.run("60s")
    assert cluster.components["coredns@worker-1"].up
    late = lookups(cluster.trace, 90, 110)
    assert {r.detail["error"] for r in late} == {"Temporary failure in name resolution"}
    assert {tuple(r.detail["walk"][0][1:]) for r in late} == {("A+AAAA", "SERVFAIL")}


def test_a_crash_of_coredns_is_one_of_its_container_and_the_kubelet_starts_it_again():
    cluster = shop()
    cluster.run("30s")
    cluster.components["coredns@worker-1"].crash()
    cluster.run("60s")
    states = [
        r.detail["state"]
        for r in cluster.trace.records
        if r.what == "pod" and r.at >= 30 * SECOND and r.actor == "kubelet@worker-1" and "coredns" in r.detail["name"]
    ]
    assert states[0] == "exited"
    assert states[-1] == "running"
    assert cluster.components["coredns@worker-1"].up


def test_a_cache_on_each_host_hides_a_dead_coredns_for_the_ttl_and_no_longer():
    cluster = shop("node-cache")
    cluster.run("38s")
    cluster.kubectl.scale("kube-system/coredns", 0)
    cluster.run("60s")
    gone = max(r.at for r in cluster.trace.records if r.what == "exit") / SECOND
    first = next(r for r in lookups(cluster.trace) if r.detail["error"]).detail["started"] / SECOND
    assert gone + 10 < first < gone + 30
    assert visits(cluster.trace, first + 1)["ok"] == 0


def test_an_outside_name_costs_eight_questions_and_two_with_fewer_dots_wanted():
    counts = []
    for options in ("", "ndots:2"):
        cluster = shop(name="api.example.com", **({"options": options} if options else {}))
        cluster.run("15s")
        counts.append({r.detail["queries"] for r in lookups(cluster.trace)})
    assert counts == [{8}, {2}]


def test_a_new_corefile_is_seen_when_reload_looks_and_a_bad_one_changes_nothing():
    cluster = shop()
    cluster.run("20s")
    for text, answers in ((".:53 {\n kubernetes cluster.local\n bogus\n}", True), (".:53 {\n errors\n}", False)):
        data = {"metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": text}}
        cluster.kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", **data}], "corefile")
        at = cluster.sim.now / SECOND
        cluster.run("60s")
        assert visits(cluster.trace, at, at + 29)["failed"] == 0
        assert (visits(cluster.trace, at + 46)["failed"] == 0) == answers
    notes = [r.detail["text"] for r in cluster.trace.records if r.what == "note"]
    assert any("CoreDNS keeps its old Corefile: Unknown directive 'bogus'" in note for note in notes)


def test_an_idle_coredns_costs_no_events():
    def cost(**options):
        cluster = Cluster.single(workers=2, seed=3, **options)
        cluster.prepare(MANIFESTS)
        cluster.run("60s")
        before = cluster.net.packets
        cluster.run("600s")
        return cluster.net.packets - before

    assert cost(dns="coredns") == cost()


@pytest.mark.parametrize(
    "visits, dns, says",
    [
        ({"name": "web"}, {}, "say dns: coredns"),
        ({"name": "web", "from": "outside"}, {"dns": "coredns", "outside": 1}, "leave out door and from"),
        ({"remember": "30s"}, {"dns": "coredns"}, "say what with name"),
        ({"name": "web", "libc": "uclibc"}, {"dns": "coredns"}, "glibc or musl"),
        ({"name": ""}, {"dns": "coredns"}, "expected a text such as web.default"),
    ],
)
def test_visitors_who_cannot_look_up_are_refused_in_a_sentence(visits, dns, says):
    with pytest.raises(WorkloadError) as error:
        Cluster.single(**dns).prepare(workload={"visitors": {"service": "web"} | visits})
    assert says in str(error.value)


# -- ready, loop, and what the kubelet says ----------------------------------------------------------------
PROBED = MANIFESTS.replace(
    "coredns:v1.13.1\n",
    "coredns:v1.13.1\n          readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}\n",
)
COREFILE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
"""


def with_corefile(text, manifests=MANIFESTS):
    """The shop, where CoreDNS has this Corefile."""
    cluster = Cluster.single(workers=2, seed=3, dns="coredns")
    lines = "\n".join("    " + line for line in text.splitlines())
    cluster.prepare(f"{COREFILE}{lines}\n---\n{manifests}", {"visitors": VISITS})
    return cluster


def dns_pods(trace, begin=0):
    """What the trace says of CoreDNS' pods: (at, state, ready)."""
    return [
        (r.at / SECOND, r.detail["state"], r.detail["ready"])
        for r in trace.records
        if r.what == "pod" and r.detail["name"].startswith("coredns") and r.at / SECOND >= begin
    ]


def test_coredns_is_not_ready_before_its_first_lists_have_come():
    cluster = with_corefile(".:53 {\n ready\n kubernetes cluster.local\n forward . /etc/resolv.conf\n}", PROBED)
    cluster.run("30s")
    assert dns_pods(cluster.trace)[-1][2]
    cluster.components["apiserver-1"].crash()
    cluster.components["coredns@worker-1"].crash()
    cluster.run("20s")
    began = next(at for at, state, _ in dns_pods(cluster.trace, 30) if state == "running")
    assert not any(ready for at, _, ready in dns_pods(cluster.trace, began))
    cluster.components["apiserver-1"].start()
    cluster.run("30s")
    assert any(ready for _, _, ready in dns_pods(cluster.trace, 50))


def test_without_the_plugin_ready_the_probe_never_passes():
    cluster = with_corefile(".:53 {\n kubernetes cluster.local\n forward . /etc/resolv.conf\n}", PROBED)
    cluster.run("30s")
    assert not any(ready for _, _, ready in dns_pods(cluster.trace))


def loops(trace):
    return [r.detail["text"] for r in trace.records if r.what == "note" and "Loop" in r.detail["text"]]


def test_a_coredns_that_forwards_to_itself_ends_itself():
    cluster = with_corefile(".:53 {\n kubernetes cluster.local\n loop\n forward . 127.0.0.1\n}")
    cluster.run("60s")
    assert all("see https://coredns.io/plugins/loop#troubleshooting" in text for text in loops(cluster.trace))
    assert ("exited", False) in [(state, ready) for _, state, ready in dns_pods(cluster.trace)]


def test_a_coredns_that_forwards_to_its_own_service_sees_it_once_that_has_endpoints():
    cluster = with_corefile(".:53 {\n kubernetes cluster.local\n loop\n forward . 10.96.0.10\n}")
    cluster.run("30s")
    assert not loops(cluster.trace)
    for _ in range(4):  # by which endpoints its question travels, and whether it comes back, is a draw
        cluster.components["coredns@worker-1"].crash()
        cluster.run("30s")
    assert loops(cluster.trace)


def test_without_loop_the_number_of_questions_at_once_is_what_ends_it():
    text = ".:53 {\n kubernetes cluster.local\n forward . 127.0.0.1 {\n max_concurrent 20\n }\n}"
    cluster = Cluster.single(workers=2, seed=3, dns="coredns")
    lines = "\n".join("    " + line for line in text.splitlines())
    cluster.prepare(f"{COREFILE}{lines}\n---\n{MANIFESTS}", {"visitors": VISITS | {"name": "nosuch.example.com"}})
    cluster.run("20s")
    last = lookups(cluster.trace)[-1].detail
    assert last["error"]
    assert last["rule"] == "forward: concurrent queries exceeded maximum 20"
    assert last["walk"][-1][2] == "REFUSED"


def test_a_name_that_is_rewritten_leads_to_the_service():
    text = ".:53 {\n rewrite name shop.corp.test web.default.svc.cluster.local\n kubernetes cluster.local\n}"
    cluster = with_corefile(text)
    cluster.prepare("", {"visitors": VISITS | {"name": "shop.corp.test."}})
    cluster.run("30s")
    assert lookups(cluster.trace)[-1].detail["addresses"]


def test_the_kubelet_says_what_of_a_dns_config_is_too_much():
    own = {"nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "searches": [f"s{n}.test" for n in range(30)]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy"},
        "spec": {"dnsConfig": own, "containers": [{"name": "c", "image": "shop/web:1.0"}]},
    }
    cluster = Cluster.single(workers=1, seed=3, params=Params(record_events=True))
    cluster.prepare(json.dumps(pod))
    cluster.run("20s")
    replies = []
    cluster.kubectl.call_api("GET", EVENT.path("default"), None, {}).callbacks.append(lambda e: replies.append(e.value))
    cluster.run(1)
    events = [e for e in replies[0].value["items"] if e["reason"] == "DNSConfigForming"]
    assert [(e["type"], e["involvedObject"]["name"]) for e in events] == [("Warning", "greedy")] * 2
    assert {e["message"].split(" is: ")[0] for e in events} == {
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line",
        "Search Line limits were exceeded, some search paths have been omitted, the applied search line",
    }


# -- a name that leads to pods
HEADLESS = """
---
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 8080}]}
"""


def headless(**visits):
    cluster = Cluster.single(workers=2, seed=3, dns="coredns")
    asked = {"service": "peers", "every": "500ms", "name": "peers", "port": 8080, **visits}
    cluster.prepare(MANIFESTS + HEADLESS, {"visitors": asked})
    return cluster


def reached(trace, begin, end):
    found = [r.detail for r in trace.of("request") if begin <= r.detail["started"] / SECOND < end]
    return Counter((d["via"][-1].split("-")[0], d["why"].split(": ")[-1]) for d in found if d["kind"] == "service")


def test_a_headless_name_leads_straight_to_a_pod():
    cluster = headless()
    cluster.run("30s")
    assert reached(cluster.trace, 15, 29).keys() == {("web", "")}
    addresses = {address for r in lookups(cluster.trace, 15) for address in r.detail["addresses"]}
    assert len(addresses) == 2 and all(address.startswith("10.244.") for address in addresses)


def test_without_pods_a_headless_name_does_not_exist():
    cluster = headless()
    cluster.run("30s")
    cluster.kubectl.scale("web", 0)
    cluster.run("70s")
    assert {why for _, why in reached(cluster.trace, 75, 99)} == {"Name or service not known"}


def test_who_remembers_a_pods_address_goes_on_to_ask_a_pod_that_has_gone():
    cluster = headless(remember="60s")
    cluster.run("30s")
    pod = next(r.detail["via"][-1] for r in cluster.trace.of("request") if r.detail["via"][-1].startswith("web-"))
    cluster.kubectl.delete("pod", pod)
    cluster.run("20s")
    assert ("peers", "connection refused") in reached(cluster.trace, 35, 49)


def test_a_port_needs_a_name():
    with pytest.raises(WorkloadError, match=r"port: these visitors look nothing up"):
        Cluster.single(workers=2, dns="coredns").prepare(MANIFESTS, {"visitors": {"service": "web", "port": 80}})
