"""nginx and HAProxy before servers that misbehave, beyond what was recorded: their settings, and why a client waits."""

from dataclasses import replace

import pytest

from kubemini.network.decide.routing import backends, proxies
from kubemini.network.decide.routing.backends import NAMED, Server
from kubemini.sim.units import MS, SECOND

NGINX = replace(proxies.NGINX, connect_timeout=SECOND, server_timeout=SECOND)
HAPROXY = replace(proxies.HAPROXY, connect_timeout=SECOND, server_timeout=SECOND)
DEAD, GOOD = NAMED["nothing listens"], NAMED["ok"]


def test_haproxy_asks_the_same_server_again_and_says_so():
    outcome = proxies.serve(HAPROXY, [DEAD, GOOD], "GET")
    assert (outcome.status, outcome.took, len(outcome.tries)) == (503, 3 * SECOND, 4)
    assert outcome.rule == "haproxy: SC, refused after 3 retries"


def test_with_redispatch_it_goes_to_another():
    outcome = proxies.serve(replace(HAPROXY, redispatch=True), [DEAD, GOOD], "POST")
    assert (outcome.status, outcome.took, outcome.read) == (200, 0, 1)


def test_a_shorter_connect_timeout_shortens_the_turn_around():
    assert proxies.serve(replace(HAPROXY, connect_timeout=200 * MS), [DEAD], "GET").took == 600 * MS


def test_nginx_repeats_a_post_only_if_it_is_told_that_it_may():
    servers = [NAMED["reads, then closes"], GOOD]
    assert proxies.serve(NGINX, servers, "POST").status == 502
    again = proxies.serve(replace(NGINX, non_idempotent=True), servers, "POST")
    assert (again.status, again.read) == (200, 2), "two servers did the work"


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
def test_what_never_went_out_is_repeated_whatever_the_method(method):
    assert proxies.serve(NGINX, [DEAD, GOOD], method).status == 200


def test_a_header_too_large_is_no_reason_to_ask_another():
    outcome = proxies.serve(NGINX, [NAMED["header of 64 KiB"], GOOD], "GET")
    assert (outcome.status, len(outcome.tries)) == (502, 1)
    assert proxies.serve(replace(NGINX, header_buffer=128 * 1024), [NAMED["header of 64 KiB"]], "GET").status == 200


def test_every_server_slow_costs_nginx_its_timeout_each():
    outcome = proxies.serve(NGINX, [NAMED["reads, never answers"]] * 3, "GET")
    assert (outcome.status, outcome.took, outcome.read) == (504, 3 * SECOND, 3)


def test_a_server_that_thinks_less_long_than_the_proxy_waits_is_answered():
    slow = Server(after=900 * MS)
    assert [proxies.serve(p, [slow], "GET").took for p in (NGINX, HAPROXY)] == [900 * MS] * 2


def test_a_body_that_ends_early_is_a_200_that_is_not_whole():
    outcome = proxies.serve(NGINX, [Server(promised=10, body=9)], "GET")
    assert (outcome.status, outcome.whole) == (200, False)
    assert proxies.serve(NGINX, [Server(promised=10, body=10)], "GET").whole


def test_the_recorded_servers_are_told_apart_by_what_they_do():
    assert len(NAMED) == 14 and len(set(NAMED.values())) == 14
    assert NAMED["nothing listens"].connect == backends.REFUSES
