"""WebSocket's frames, sentence by sentence of RFC 6455."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.frames import Broken, websocket
from kubemini.frames.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frames, frame
from tests.frames.masked import HELLO, heard, sent


def test_the_greeting_proves_that_the_request_was_read():
    """Section 1.3: the example of the RFC."""
    headers = dict(websocket.greeting(HELLO, "v5.channel.k8s.io"))
    assert headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert headers["Sec-WebSocket-Protocol"] == "v5.channel.k8s.io"
    assert "Sec-WebSocket-Protocol" not in dict(websocket.greeting(HELLO, ""))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"sec-websocket-version": "8"}, "missing or bad WebSocket Version"),
        ({"sec-websocket-key": "short"}, "challenge response error"),
        ({"sec-websocket-key": ""}, "challenge response error"),
    ],
)
def test_a_request_without_a_proper_key_or_version_is_refused(change, why):
    assert websocket.refusal(HELLO | change) == why


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({"connection": "keep-alive, upgrade"}, True),
        ({"connection": "close"}, False),
        ({"upgrade": "SPDY/3.1"}, False),
    ],
)
def test_only_who_asks_for_the_upgrade_gets_it(change, wanted):
    assert websocket.is_wanted(HELLO | change) is wanted


@given(st.binary(max_size=70_000), st.integers(1, 4096))
def test_a_message_is_read_however_it_is_cut_into_pieces(data, step):
    frames, raw = Frames(), sent(BINARY, data)
    found = [message for at in range(0, len(raw), step) for message in frames.receive(raw[at : at + step])]
    assert found == [(BINARY, data)]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_server_writes_a_length_in_the_shortest_form(size):
    raw = frame(TEXT, b"x" * size)
    assert heard(raw) == [(TEXT, b"x" * size)]
    assert len(raw) - size == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_the_parts_of_a_message_are_joined_and_a_ping_may_come_between():
    raw = sent(TEXT, b"one ", last=False) + sent(PING, b"!") + sent(CONTINUATION, b"two")
    frames = Frames()
    assert frames.receive(raw) == [(PING, b"!"), (TEXT, b"one two")]
    assert heard(bytes(frames.out)) == [(PONG, b"!")]


@pytest.mark.parametrize(
    "raw",
    [
        frame(TEXT, b"not masked"),
        sent(CONTINUATION, b"of nothing"),
        sent(TEXT, b"a", last=False) + sent(TEXT, b"b"),
        sent(PING, b"x" * 126),
        sent(CLOSE, b"", last=False),
        bytes([0xC2]) + sent(BINARY, b"")[1:],
        b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"mask",
    ],
)
def test_who_breaks_the_protocol_is_cut_off(raw):
    with pytest.raises(Broken):
        Frames().receive(raw)


def test_the_last_frame_says_why():
    assert heard(websocket.closing()) == [(CLOSE, b"\x03\xe8")]
