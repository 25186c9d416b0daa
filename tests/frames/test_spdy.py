"""SPDY/3.1, as moby/spdystream speaks it with kubectl: the server's end against a client's of the tests' own."""

import zlib

import pytest

from kubemini.frames import Broken
from kubemini.frames.spdy import DICTIONARY, PING, RST_STREAM, SYN_REPLY, Data, Gone, Opened, Reset, Spdy
from tests.frames.masked import SpdyClient


def test_the_dictionary_is_that_of_the_protocol():
    """A zlib stream names its dictionary by this sum; another would make every block of headers unreadable."""
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_headers_are_one_compressed_stream_in_each_direction():
    client, server = SpdyClient(), Spdy()
    raw = client.open(1, streamtype="error", port="80") + client.open(3, streamtype="data", port="80", last=True)
    assert server.receive(raw) == [
        Opened(1, {"streamtype": "error", "port": "80"}),
        Opened(3, {"streamtype": "data", "port": "80"}, True),
    ]
    assert [frame[:2] for frame in client.read(server.reply(1) + server.reply(3))] == [(SYN_REPLY, 1), (SYN_REPLY, 3)]


def test_data_comes_in_order_and_each_side_ends_its_half():
    client, server = SpdyClient(), Spdy()
    assert server.receive(client.data(1, b"one") + client.data(1, b"", last=True)) == [
        Data(1, b"one"),
        Data(1, b"", True),
    ]
    assert client.read(server.data(1, b"two", last=True)) == [("data", 1, b"two", True)]


def test_frames_may_come_byte_by_byte():
    client, server = SpdyClient(), Spdy()
    raw = client.open(1, a="b") + client.data(1, b"xyz")
    found = [event for at in range(len(raw)) for event in server.receive(raw[at : at + 1])]
    assert found == [Opened(1, {"a": "b"}), Data(1, b"xyz")]


def test_a_frame_holds_at_most_sixteen_megabytes():
    server, client = Spdy(), SpdyClient()
    large = bytes(1 << 24)
    parts = client.read(server.data(1, large, last=True))
    assert [(len(payload), last) for _, _, payload, last in parts] == [((1 << 24) - 1, False), (1, True)]


def test_a_ping_is_answered_with_its_own_number():
    client, server = SpdyClient(), Spdy()
    assert server.receive(client.ping(7)) == []
    assert client.read(bytes(server.out)) == [(PING, 7, b"", False)]


def test_a_stream_and_a_connection_can_be_given_up():
    client, server = SpdyClient(), Spdy()
    assert server.receive(client.reset(5) + client.leave()) == [Reset(5), Gone()]
    assert client.read(server.reset(9))[0][:2] == (RST_STREAM, 9)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x80\x02\x00\x01\x00\x00\x00\x00",
        b"\x80\x03\x00\x01\x00\x00\x00\x0e" + bytes(10) + b"nozl",
    ],
)
def test_another_version_or_headers_that_cannot_be_read_end_it(raw):
    with pytest.raises(Broken):
        Spdy().receive(raw)


def test_headers_that_promise_more_than_there_is_end_it():
    packed = zlib.compressobj(zdict=DICTIONARY)
    block = packed.compress((1).to_bytes(4, "big") + (99).to_bytes(4, "big")) + packed.flush(zlib.Z_SYNC_FLUSH)
    payload = (1).to_bytes(4, "big") + bytes(6) + block
    with pytest.raises(Broken):
        Spdy().receive(b"\x80\x03\x00\x01\x00" + len(payload).to_bytes(3, "big") + payload)
