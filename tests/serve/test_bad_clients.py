"""Whoever asks badly is refused, or waits alone: it costs the others nothing."""

import contextlib
import json
import re

import pytest

from tests.serve.doors import CONFIG_MAPS, Served, config_map, events

HEAD = b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("door"), "--api-only") as served:
        yield served
        assert served.process.poll() is None, "something that a client sent has ended the door"


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: 99999999999\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_bad_request(door, said):
    assert door.say(said).startswith(b"HTTP/1.1 400 ")
    assert door.ask("/livez").body == b"ok"


def test_a_header_without_end_is_cut_off(door):
    assert b"200 OK" not in door.say(b"GET /livez HTTP/1.1\r\nX: " + b"x" * (1 << 21))
    assert door.ask("/livez").body == b"ok"


def test_bytes_that_are_no_tls_are_cut_off(door):
    with door.plain() as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while plain.recv(4096):
                pass
    assert door.ask("/livez").body == b"ok"


def test_those_who_do_not_finish_what_they_say_keep_nobody_waiting(door):
    silent = [door.plain() for _ in range(20)]
    half = [door.connect() for _ in range(5)]
    for connection in half:
        connection.connect()
        connection.sock.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert door.ask(CONFIG_MAPS, "POST", config_map("meanwhile")).code == 201
    for connection in (*silent, *half):
        connection.close()
    assert door.ask("/livez").body == b"ok"


def test_a_body_that_is_too_large_is_refused_and_thrown_away(door):
    answer = door.ask(CONFIG_MAPS, "POST", config_map("large", k="x" * (4 << 20)))
    assert answer.code == 413 and answer.json["reason"] == "RequestEntityTooLarge"
    assert door.ask(f"{CONFIG_MAPS}/large").code == 404


def test_a_watch_that_nobody_reads_is_cut_off_and_the_others_hear_all(door):
    lazy, keen = door.watch(CONFIG_MAPS), door.watch(CONFIG_MAPS)
    known = len(door.ask(CONFIG_MAPS).json["items"])
    events(keen, known)
    many = 60
    for number in range(many):
        assert door.ask(CONFIG_MAPS, "POST", config_map(f"big-{number}", k="x" * 900_000)).code == 201
        assert events(keen, 1) == [("ADDED", f"big-{number}")]
    heard = 0
    with contextlib.suppress(json.JSONDecodeError, ConnectionError, Exception):
        while heard < known + many:
            events(lazy, 1)
            heard += 1
    assert known <= heard < known + many
    keen.close()


def test_a_certificate_of_somebody_else_lets_nobody_in(door, tmp_path_factory):
    with Served(tmp_path_factory.mktemp("other"), "--api-only") as other:
        mine, door.pair = door.pair, other.pair
        try:
            with pytest.raises(OSError, match=re.compile("unknown ca|closed|reset|EOF", re.IGNORECASE)):
                door.ask(CONFIG_MAPS)
        finally:
            door.pair = mine


UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://x\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize(
    "said",
    [
        b"\x81\x02hi",  # not masked
        b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask",  # longer than anything
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"\x88\x80mask",  # farewell
    ],
)
def test_who_upgrades_and_then_speaks_no_websocket_is_cut_off(door, said):
    heard = door.say(UPGRADE % f"{CONFIG_MAPS}?watch=1&resourceVersion=0".encode() + said)
    assert heard.startswith(b"HTTP/1.1 101 Switching Protocols\r\n") and heard.count(b"HTTP/1.1") == 1
    assert door.ask("/livez").body == b"ok"


def test_who_leaves_a_tunnel_without_a_word_leaves_nothing_behind(door):
    for _ in range(20):
        with contextlib.closing(door.connect()) as connection:
            connection.connect()
            connection.sock.sendall(UPGRADE % f"{CONFIG_MAPS}?watch=1".encode())
            assert connection.sock.recv(12) == b"HTTP/1.1 101"
    assert door.ask("/livez").body == b"ok"
