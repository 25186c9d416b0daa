"""Chapter 11: what the page says happens in the cluster, under other seeds too, and the checkers tell why not."""

import subprocess

import pytest

from kubemini.cluster import Cluster
from kubemini.lab import check
from kubemini.lab.door.configuration import OLDER
from kubemini.lab.door.detection import false_alarms
from kubemini.lab.door.gone import WAYS, noticed, outage, told
from kubemini.lab.door.haproxycfg import ConfigError, read
from kubemini.lab.door.skew import model
from kubemini.lab.questions import of_chapter
from kubemini.sim.chance import Draws
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.connections import at, clients, counts

SEEDS = (None, 1, 2)
PREDICTED = {name: asked["answer"] for name, asked in of_chapter("door")["predictions"].items()}
REPAIRED = (
    OLDER.replace("    option ssl-hello-chk\n", "")
    .replace("6443 check", "6443 check check-ssl verify none")
    .replace("20s", "35s")
)


def hang(trace, second):
    """How many of those who come through the balancer hang on each server."""
    mine = [name for name in clients(trace) if "@worker" in name]
    return list(counts(at(trace, second * SECOND), of=mine).values())


# -- the stories -----------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_after_a_rolling_restart_nobody_hangs_on_the_server_restarted_last_and_no_write_has_failed(seed):
    trace = run("door", seed)
    assert PREDICTED["rolling"] == "None on the server that was restarted last"
    assert hang(trace, 9)[2] >= 12 and sum(hang(trace, 9)) == 16  # whoever is ready first gets most
    assert hang(trace, 29)[2] == 0 and hang(trace, 89)[1] == 0 and sum(hang(trace, 89)) == 16
    assert {r.detail["outcome"] for r in trace.of("request", "kubectl") if r.at > 12 * SECOND} == {"ok"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_who_hangs_on_a_hung_server_leaves_it_within_45_s_long_after_the_balancer_has_noticed(seed):
    trace = run("door", seed, [(75, "pause", "apiserver-1")], until=150)
    assert PREDICTED["hung"].startswith("Within 45 s")
    (down,) = [r.at for r in trace.of("backend") if r.at > 75 * SECOND and not r.detail["up"]]
    assert 85 < down / SECOND < 87.5
    assert hang(trace, 89)[0] == hang(trace, 74)[0] > 0 and hang(trace, 124)[0] == 0


def test_dead_is_told_at_once_hung_and_dark_cost_those_who_keep_a_connection_some_45_s():
    seen = {way: outage(way) for way in WAYS}
    waits = {way: list(found.back.values()) for way, found in seen.items()}
    assert all(waits.values()) and max(waits["dead"]) < 10
    assert all(15 < wait < 46 for way in ("hung", "dark") for wait in waits[way])
    assert set(waits["without etcd"]) == {None}
    assert seen["dead"].failed == 0 == seen["dark"].failed and seen["hung"].failed > 0 and seen["dark"].slow > 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_the_second_balancer_has_the_address_half_a_minute_after_the_first_was_killed(seed):
    assert PREDICTED["pair"] == "Half a minute"
    taken = [r.at for r in run("two-balancers", seed, until=60).of("address", "keepalived-2") if r.detail["held"]]
    assert [at for at in taken if at < 20 * SECOND] == [] and 27 < taken[0] / SECOND - 20 < 35


# -- what a check sees -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "way", "why", "low", "high"),
    [
        ("tcp", "dead", "L4CON", 4, 6),
        ("http", "dead", "L4CON", 4, 6.2),
        ("http", "hung", "L6TOUT", 10, 12.3),
        ("ssl-hello", "hung", "L6TOUT", 10, 12.3),
        ("tcp", "dark", "L4TOUT", 10, 12.3),
        ("http", "without etcd", "L7STS 500", 7, 12.3),
    ],
)
def test_a_check_says_at_which_floor_it_failed_and_takes_as_long_as_its_limits(kind, way, why, low, high):
    for seed in (1, 2):
        found = noticed(way, seed, haproxy_check=kind)
        assert found.why == why and found.after is not None and low <= found.after <= high


@pytest.mark.parametrize(("kind", "way"), [("tcp", "hung"), ("tcp", "without etcd"), ("ssl-hello", "without etcd")])
def test_a_check_that_does_not_go_so_high_never_notices(kind, way):
    assert told(noticed(way, haproxy_check=kind)) == "never counted as down"


def test_a_way_that_nobody_knows_is_named():
    with pytest.raises(ValueError, match="dead, hung, dark, without etcd; not 'gone'"):
        noticed("gone")


# -- detection -------------------------------------------------------------------------------------
def test_false_alarms_are_as_frequent_as_a_draw_of_them_says():
    draws, failed, alarms, checks = Draws(1, "late"), 0, 0, 400_000
    for number in range(checks):
        failed = failed + 1 if draws.happens(number, 0.02 * 2.718281828**-0.5) else 0
        alarms += failed == 2
    week = 7 * 24 * 3600 / 0.5
    assert false_alarms(SECOND // 2, 2) * checks / week == pytest.approx(alarms, rel=0.2)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"inter": "2s", "fall": 3}, "It takes up to 6 s"),
        pytest.param({"inter": "1s", "fall": 2}, "With 2 late greetings in a row", marks=pytest.mark.soak),
        pytest.param({"inter": "500ms", "fall": 3}, "times a week; less than once is asked", marks=pytest.mark.soak),
        ({"inter": "100ms", "fall": 9}, "Every 100ms is too often"),
        pytest.param({"inter": "1h", "fall": 9}, "nobody waited so long", marks=pytest.mark.soak),
        ({"inter": "soon", "fall": 3}, "it is a duration"),
        ({"inter": "1s"}, "Hand over both settings"),
        (7, "Hand over both settings"),
    ],
)
def test_settings_that_are_slow_or_rash_are_told_why(settings, hint):
    report = check("door.detection", settings)
    assert report.status == "hint" and hint in report.hint


@pytest.mark.parametrize("settings", [{"inter": "1s", "fall": 3}, {"inter": "600ms", "fall": 6}])
@pytest.mark.soak
def test_every_pair_that_is_fast_and_not_rash_will_do(settings):
    assert check("door.detection", settings).passed


# -- the configuration -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("", ""), "Of two ways to check the last one wins"),
        (("    option ssl-hello-chk\n", ""), "sends plain HTTP to the TLS port"),
        (("    option httpchk GET /healthz\n", ""), "Of two ways to check the last one wins"),
        (("ssl-hello-chk", "httpcheck"), "line 19: unknown option 'httpcheck'"),
        (("mode tcp\n    option ssl-hello-chk", "mode http"), "mode http would read inside"),
        (("cp-3:6443 check", "cp-3:6443"), "apiserver-3 has no `check`"),
        (("    server apiserver-3 cp-3:6443 check\n", ""), "the configuration names apiserver-1, apiserver-2"),
    ],
)
def test_what_is_left_of_the_older_example_is_told_one_fault_at_a_time(change, hint):
    report = check("door.configuration", OLDER.replace(*change))
    assert report.status == "hint" and hint in report.hint


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("check-ssl verify none", "check-ssl"), "verify is enabled by default but no CA file"),
        (("check-ssl verify none", "ssl verify none"), "wraps every client's TLS into TLS once more"),
        (("timeout server 35s", "timeout server 34s"), "`timeout server 34s` cuts a request"),
        (("    timeout client 35s\n", ""), "There is no `timeout client`"),
        (("35s", "soon"), "'soon' is no duration"),
        (("/healthz", "/"), "The check asks for '/'"),
        (("    option redispatch\n", ""), "Without `option redispatch`"),
        (("    option httpchk GET /healthz\n", ""), "A check that only connects (L4OK)"),
    ],
)
def test_a_repair_that_breaks_something_else_is_told_what(change, hint):
    assert check("door.configuration", REPAIRED).passed
    report = check("door.configuration", REPAIRED.replace(*change))
    assert report.status == "hint" and hint in report.hint


def test_the_newer_form_of_kubeadms_example_is_right_too():
    newer = REPAIRED.replace("check check-ssl", "check").replace(
        "    option httpchk GET /healthz\n",
        "    option httpchk\n    http-check connect ssl\n    http-check send meth GET uri /healthz\n",
    )
    assert check("door.configuration", newer).passed


def test_a_text_that_is_no_configuration_is_one_sentence():
    assert "Give check() the text" in check("door.configuration", 5).hint
    assert "stands in no section" in check("door.configuration", "hello").hint
    with pytest.raises(ConfigError, match="line 2: a server has a name and an address"):
        read("backend b\n  server apiserver-1")


@pytest.mark.needs("haproxy")
@pytest.mark.parametrize(
    ("text", "word"),
    [
        (OLDER, ""),
        (REPAIRED, ""),
        (
            REPAIRED.replace("check-ssl verify none", "check-ssl"),
            "verify is enabled by default but no CA file specified",
        ),
        (OLDER.replace("ssl-hello-chk", "httpcheck"), "unknown option 'httpcheck'; did you mean 'httpchk' maybe ?"),
        (REPAIRED.replace("35s", "soon"), "unexpected character 's' in 'timeout client'"),
    ],
)
def test_haproxy_itself_starts_with_what_we_take_and_refuses_what_we_say_it_refuses(text, word, tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text(text.replace("cp-", "127.0.0."))
    done = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (word == "") and word in done.stdout + done.stderr
    hint = check("door.configuration", text).hint
    assert ("HAProxy does not start" in hint) == bool(word)


# -- skew ------------------------------------------------------------------------------------------
def after(counts, chance, requests):
    stay = (1 - chance) ** requests
    even = sum(counts) / len(counts)
    return [count * stay + even * (1 - stay) for count in counts]


def test_the_model_keeps_its_clients_and_moves_none_that_is_not_told():
    assert model([28, 0, 0], 0.0, 50, seed=1) == [28, 0, 0]
    assert sum(model([28, 0, 0], 0.02, 50, seed=1)) == 28
    assert model([3, 0, 0], 1.0, 1, seed=1) == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda c, p, n: [sum(c) / len(c)] * len(c), "With chance 0 nobody is ever told"),
        (lambda c, p, n: after(c, min(1, p * n), 1), "after 20 requests each at 0.02 you expect"),
        (lambda c, p, n: [x * (1 - p) ** n for x in c], "yours add up to"),
        (lambda c, p, n: [float("nan")] * len(c) if p else c, "yours add up to nan"),
        (lambda c, p, n: [1], "a number for each of 3 servers"),
        (lambda c, p, n: "all", "a number for each of 3 servers"),
    ],
)
def test_a_wrong_expectation_is_told_by_how_much(answer, hint):
    report = check("door.skew", answer)
    assert report.status == "hint" and hint in report.hint


def test_the_formula_is_close_to_what_was_recorded_on_a_real_cluster():
    report = check("door.skew", after)
    assert report.passed and any("recorded: 17, 10, 1, 90 s later 12, 10, 7" in fact for fact in report.facts)


# -- the path --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cluster", "hint"),
    [
        (Cluster.stacked(members=3), "When lb-1 lost its power"),
        (Cluster.stacked(members=2, load_balancers=2), "When cp-1 lost its power"),
        pytest.param(
            Cluster.stacked(members=3, zones=["a", "a", "b"], load_balancers=2),
            "When zone a went dark",
            marks=pytest.mark.soak,
        ),
        (Cluster.stacked(members=5, load_balancers=2), "You may use 6 machines"),
        (Cluster.stacked(members=3, workers=1, load_balancers=2), "Leave at least two workers"),
        ("three machines", "Hand over a cluster"),
    ],
)
def test_a_path_with_a_box_that_stands_alone_is_told_which(cluster, hint):
    report = check("door.path", cluster)
    assert report.status == "hint" and hint in report.hint


@pytest.mark.soak
def test_two_balancers_and_three_zones_survive_every_single_loss():
    report = check("door.path", Cluster.stacked(members=3, zones=["a", "b", "c"], load_balancers=2))
    assert report.passed and "10 losses" in report.facts[0]
