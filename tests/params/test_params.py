"""Every parameter has a legal range, and every door checks it: one sentence says what was given and what would do."""

import json
from dataclasses import fields, replace

import pytest

from kubemini import ranges, session
from kubemini.cluster import Cluster
from kubemini.params import ParamError, Params, changed
from kubemini.scenarios import ScenarioError, load
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run

ENTRIES = {entry.name: entry for entry in fields(Params)}
LEGAL = {name: entry.metadata["legal"] for name, entry in ENTRIES.items()}

NEVER_LEGAL = [None, {}, [], [[]], "", "soon", "nan", "inf", "-1", -1, "1 parsec", "1e999999999s", {"a": 1}, object()]
NEVER_LEGAL += ["9" * 5000, 10**5000, float("nan"), float("inf"), -0.5, "5ms 5ms", "NaNs", b"5s", "-5s", "٣٤x"]
DEEP: list = []
for _ in range(2000):
    DEEP = [DEEP]
WRONG = {
    ranges.Duration: [True, False, "true", ["5s"], "10 kg", "5", "999999h"],
    ranges.Span: ["5ms", 5, True, "0s", ["5ms"], ["1s", "2s", "3s"], ["2s", "1s"], [1, 2], [True, False], ["0s", "1s"]],
    ranges.Count: [True, "three", 2.5, "2.5", "3s", [3], "1e3", 10**12],
    ranges.Size: [True, "16 apples", "16Mb", "1.5", 2.5, "16MiBs", [16], "1PiB"],
    ranges.Rate: [True, "half", "50%", [0.5], 10**9],
    ranges.Choice: [True, 1, "both", ["http"], "HTTP "],
    ranges.Switch: [0, 1, "0", "1", 2, "maybe", [True], "5s"],
    ranges.Networks: [5, True, "10.96.0.1/12", "banana", "10.0.0.0/8,10.96.0.0/12", "fd00:0::/64", ["10.0.0.0/8"] * 3],
    ranges.Interval: [5, True, "5", "5-4", "0-9", "30000-70000", [1], [1, 2, 3], "a-b"],
}


def sentence(problem, name, value):
    """What was raised is one sentence that names the parameter, repeats the value, and says what to write."""
    text = str(problem)
    assert name in text and "\n" not in text and len(text) < 420, text
    assert "but it is" in text and "write for example" in text, text
    return text


@pytest.mark.parametrize("name", ENTRIES)
def test_a_value_that_will_not_do_is_refused_in_one_sentence(name):
    legal = LEGAL[name]
    right = ["5", [1, 2]] if getattr(getattr(legal, "each", legal), "bare", "") else []
    if getattr(legal, "low", 0) == -253:  # keepalived's weights
        right = ["-1", -1]
    for value in [value for value in [*NEVER_LEGAL, DEEP, *WRONG[type(legal)]] if value not in right]:
        with pytest.raises(ParamError) as refused:
            changed(Params(), {name: value})
        sentence(refused.value, name, value)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_lies_just_outside_the_range_is_refused_and_its_ends_are_not(name):
    legal = LEGAL[name]
    for inside, outside in edges(legal):
        assert legal.fits(inside) and not legal.fits(outside), (inside, outside)
        with pytest.raises(ParamError, match=name):
            replace(Params(), **{name: outside})
        assert legal.read(legal.write(inside)) == inside, "what a message shows can be written"


def edges(legal):
    """(the last legal, the first illegal) at each end of a range."""
    match legal:
        case ranges.Duration(low, high, _, step):
            return [(low, low - step), (high, high + step)]
        case ranges.Span(each):
            return [((each.low, each.low), (each.low - 1, each.low)), ((each.high,) * 2, (each.high, each.high + 1))]
        case ranges.Count(low, high) | ranges.Size(low, high):
            return [(low, low - 1), (high, high + 1)]
        case ranges.Rate(low, high):
            return [(low, low - 0.01), (high, high + 0.01)]
        case ranges.Choice(words):
            return [(word, word + "x") for word in words]
        case ranges.Switch():
            return [(True, 1), (False, 0)]
        case ranges.Networks():
            return [(("10.0.0.0/8", "fd00::/64"), ("10.0.0.0/8", "10.0.0.0/8")), (("10.0.0.0/8",), ())]
        case ranges.Interval(low, high):
            return [((low, low), (low - 1, low)), ((high, high), (high, high + 1))]


MEANT = [
    ("toleration_seconds", 30, 30 * SECOND),
    ("toleration_seconds", "30", 30 * SECOND),
    ("toleration_seconds", "30s", 30 * SECOND),
    ("etcd_heartbeat_interval", 50, 50 * MS),
    ("http2_ping_timeout", 5, 5 * SECOND),
    ("dial_timeout", "1m30s", 90 * SECOND),
    ("network_latency", ["1ms", "5ms"], (MS, 5 * MS)),
    ("network_latency", "1ms,5ms", (MS, 5 * MS)),
    ("haproxy_balance", "leastconn", "leastconn"),
    ("haproxy_check", "tcp", "tcp"),
    ("haproxy_redispatch", "off", False),
    ("haproxy_fall", "3", 3),
    ("etcd_pre_vote", "no", False),
    ("etcd_pre_vote", "true", True),
    ("node_eviction_rate", "0.5", 0.5),
    ("etcd_quota_backend_bytes", "16MiB", 16 * 1024**2),
    ("etcd_quota_backend_bytes", "16Mi", 16 * 1024**2),
    ("etcd_quota_backend_bytes", "16MB", 16_000_000),
    ("etcd_quota_backend_bytes", 16777216, 16777216),
    ("etcd_quota_backend_bytes", "1.5GiB", 3 * 1024**3 // 2),
    ("service_cluster_ip_range", "10.96.0.0/16, fd00:96::/112", ("10.96.0.0/16", "fd00:96::/112")),
    ("service_node_port_range", "30000-30019", (30_000, 30_019)),
]


@pytest.mark.parametrize(("name", "text", "value"), MEANT)
def test_a_value_means_what_its_flag_means(name, text, value):
    assert getattr(changed(Params(), {name: text}), name) == value


def test_a_duration_without_a_unit_is_refused_where_the_real_flag_refuses_it():
    with pytest.raises(ParamError, match=r"node_monitor_period: 5 was given, but .*with its unit"):
        changed(Params(), {"node_monitor_period": 5})
    with pytest.raises(ParamError, match=r"toleration_seconds: '30x' was given, but .*a bare number counts seconds"):
        changed(Params(), {"toleration_seconds": "30x"})


TOGETHER = [
    ({"etcd_election_timeout": "50ms"}, "less than 5 times etcd_heartbeat_interval (100ms), which etcd refuses"),
    ({"etcd_heartbeat_interval": "2s"}, "less than 5 times etcd_heartbeat_interval (2s), which etcd refuses"),
    ({"leader_elect_lease_duration": "10s"}, "not longer than leader_elect_renew_deadline (10s), which client-go"),
    ({"leader_elect_renew_deadline": "2s"}, "not longer than leader_elect_retry_period (2s) x 1.2"),
]


@pytest.mark.parametrize(("values", "says"), TOGETHER)
def test_values_that_do_not_go_together_are_refused_as_the_real_program_does(values, says):
    with pytest.raises(ParamError) as refused:
        changed(Params(), values)
    assert says in str(refused.value) and "raise the one or lower" in str(refused.value)


def test_values_that_go_together_may_be_set_together():
    params = changed(Params(), {"etcd_heartbeat_interval": "2s", "etcd_election_timeout": "10s"})
    assert params.etcd_election_timeout == 10 * SECOND and params.etcd_request_timeout == 25 * SECOND


def doors(name, value):
    """The ways to set a parameter, each called with a wrong value."""
    data = {"title": "t", "topology": {"kind": "etcd", "members": 3}, "params": {name: value}}
    yield ScenarioError, lambda: load(data)
    yield ScenarioError, lambda: run("etcd-3", until=1, params={name: value})
    yield ParamError, lambda: Cluster.single(params=Params(**{name: value}))
    yield ParamError, lambda: replace(Params(), **{name: value})


@pytest.mark.parametrize("name", ["watch_bookmark_period", "etcd_heartbeat_interval", "network_latency", "pod_stop"])
def test_every_door_refuses_zero(name):
    for error, door in doors(name, "0s"):
        with pytest.raises(error, match=name) as refused:
            door()
        sentence(refused.value, name, "0s")
    answer = session.handle({"op": "simulate", "id": 1, "spec": {"scenario": "etcd-3", "params": {name: "0s"}}})
    assert answer["op"] == "error" and f"params.{name}: '0s' was given" in answer["error"]
    question = {"op": "elections", "id": 1, "scenario": "etcd-3", "seeds": [1, 2], "params": {name: "0s"}}
    assert session.handle(question)["op"] == "error"


@pytest.mark.parametrize("params", ["x", 5, [["etcd_pre_vote", True]], {1: 2}, {"etcd_prevote": True}])
def test_what_is_no_set_of_parameters_is_refused(params):
    with pytest.raises(ScenarioError, match="params"):
        run("etcd-3", until=1, params=params)


def test_an_unknown_parameter_is_answered_with_a_near_one():
    with pytest.raises(ParamError, match="did you mean etcd_pre_vote"):
        changed(Params(), {"etcd_prevote": True})


def test_a_parameter_in_code_may_be_written_as_in_a_file():
    assert Params(dial_timeout="5s").dial_timeout == 5 * SECOND
    assert Params(network_latency=["1ms", "2ms"]) == replace(Params(), network_latency=(MS, 2 * MS))
    with pytest.raises(ParamError, match="toleration_seconds: 30 us was given"):
        Params(toleration_seconds=30)


def test_params_of_a_scenario_survive_json():
    source = {"title": "t", "topology": {"kind": "etcd", "members": 3}, "params": {"network_latency": ["1ms", "2ms"]}}
    assert load(json.loads(json.dumps(source))).params.network_latency == (MS, 2 * MS)
