"""/exec and /attach: channel bytes in, channel bytes out, and how a command ended on channel 3."""

import base64
import json

import pytest

from kubemini.kubelet.decide import streams
from kubemini.kubelet.decide.streams import (
    ERROR,
    GONE,
    STDERR,
    STDIN,
    STDOUT,
    V4,
    V5,
    Channels,
    Options,
    Refusal,
    Streams,
)
from tests.frames.masked import HELLO, SpdyClient, heard, sent

ALL = Options(True, True, True, False)
SPDY = {
    "connection": "Upgrade",
    "upgrade": "SPDY/3.1",
    "x-stream-protocol-version": "v4.channel.k8s.io, v3.channel.k8s.io",
}


def channels(protocol, wanted=ALL):
    found = streams.chosen(HELLO | ({"sec-websocket-protocol": protocol} if protocol else {}), wanted)
    assert isinstance(found, Channels)
    return found


def test_the_first_message_is_empty_and_says_that_all_is_ready():
    for wanted, channel in (
        (ALL, STDOUT),
        (Options(True, False, True, False), STDERR),
        (Options(True, False, False, False), ERROR),
    ):
        assert heard(bytes(channels(V5, wanted).out)) == [(2, bytes([channel]))]


def test_a_message_is_a_channel_and_its_bytes():
    carrier = channels(V5)
    assert carrier.receive(sent(2, b"\x00ls\n")) == [(STDIN, b"ls\n")]
    assert heard(carrier.write(STDOUT, b"bin\n")) == [(2, b"\x01bin\n")]


def test_by_v5_a_client_ends_its_input_once_and_by_v4_it_cannot():
    carrier = channels(V5)
    assert carrier.receive(sent(2, b"\xff\x00") * 2 + sent(2, b"\x00late")) == [(STDIN, None)]
    assert channels(V4).receive(sent(2, b"\xff\x00")) == []


def test_what_comes_on_a_channel_that_is_not_the_clients_is_thrown_away():
    carrier = channels(V5)
    assert carrier.receive(sent(2, b"\x01out") + sent(2, b"\x04{}") + sent(2, b"")) == []
    assert channels(V5, Options(False, True, False, False)).receive(sent(2, b"\x00in")) == []


def test_the_old_protocol_for_text_has_digits_and_base64():
    carrier = channels("base64.channel.k8s.io")
    assert carrier.receive(sent(1, b"0" + base64.b64encode(b"ls\n"))) == [(STDIN, b"ls\n")]
    assert heard(carrier.write(STDOUT, b"bin")) == [(1, b"1" + base64.b64encode(b"bin"))]


@pytest.mark.parametrize("wrong", [b"0abc", b"0a", b"0\xff\xff"])
def test_what_is_no_base64_counts_for_nothing(wrong):
    """It is logged upstream, and the connection goes on."""
    carrier = channels("base64.channel.k8s.io")
    assert carrier.receive(sent(1, wrong) + sent(1, b"0" + base64.encodebytes(b"ls\n"))) == [(STDIN, b"ls\n")]


def test_who_closes_the_websocket_is_gone_and_a_ping_is_answered():
    carrier = channels(V5)
    carrier.out.clear()
    assert carrier.receive(sent(9, b"?") + sent(8, b"\x03\xe8")) == [(GONE, None)]
    assert heard(bytes(carrier.out)) == [(10, b"?")]


@pytest.mark.parametrize(
    ("asked", "protocol"),
    [
        ("v4.channel.k8s.io, v5.channel.k8s.io", V5),
        ("v4.channel.k8s.io", V4),
        ("nonsense, channel.k8s.io", "channel.k8s.io"),
        ("", ""),
    ],
)
def test_v5_is_taken_wherever_it_stands_else_the_first_that_is_known(asked, protocol):
    assert channels(asked).protocol == protocol


def test_a_protocol_that_nobody_knows_is_refused():
    found = streams.chosen(HELLO | {"sec-websocket-protocol": "v9.channel.k8s.io"}, ALL)
    assert isinstance(found, Refusal) and found.status == 403
    assert found.text.startswith("requested protocol(s) are not supported: [v9.channel.k8s.io]")


def test_spdy_begins_when_all_streams_are_there():
    client, carrier = SpdyClient(), streams.chosen(SPDY, ALL)
    assert isinstance(carrier, Streams)
    for number, kind in enumerate(("error", "stdin", "stdout")):
        carrier.receive(client.open(2 * number + 1, streamtype=kind))
        assert not carrier.ready
    carrier.receive(client.open(7, streamtype="stderr"))
    assert carrier.ready and [frame[1] for frame in client.read(bytes(carrier.out))] == [1, 3, 5, 7]
    assert carrier.receive(client.data(3, b"ls\n") + client.data(3, b"", last=True)) == [
        (STDIN, b"ls\n"),
        (STDIN, None),
    ]
    assert client.read(carrier.write(STDOUT, b"bin\n")) == [("data", 5, b"bin\n", False)]
    assert {frame[1] for frame in client.read(carrier.finish()) if frame[3]} == {1, 3, 5, 7}


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"upgrade": "h2c"}, 400, "Upgrade request required"),
        ({"x-stream-protocol-version": "v9"}, 403, "client supports [v9], server accepts [v4.channel.k8s.io]"),
    ],
)
def test_spdy_without_a_common_protocol_is_refused(change, status, text):
    found = streams.chosen(SPDY | change, ALL)
    assert isinstance(found, Refusal) and found.status == status and text in found.text


def test_spdy_without_the_header_of_protocols_is_refused():
    found = streams.chosen({"connection": "Upgrade", "upgrade": "SPDY/3.1"}, ALL)
    assert (
        isinstance(found, Refusal) and found.status == 400 and "does not exist in request with 2 headers" in found.text
    )


def test_the_status_says_the_exit_code_and_what_went_wrong():
    """As a real server of 1.37.2 sends it: by v5 the text of an error has been through two hands."""
    assert streams.succeeded(V5) == b'{"metadata":{},"status":"Success"}'
    assert streams.succeeded(V4) == b'{"status":"Success"}'
    told = json.loads(streams.exited(V5, ["false"], 3))
    assert told["reason"] == "NonZeroExitCode" and told["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert told["message"] == "command terminated with non-zero exit code: command terminated with exit code 3"
    assert json.loads(streams.exited(V4, ["sh", "-c", "x"], 1))["message"].endswith("command [sh -c x], exit code 1")
    assert json.loads(streams.failed(V5, "why"))["message"] == "Internal error occurred: Internal error occurred: why"
    assert json.loads(streams.failed(V4, "why"))["message"] == "Internal error occurred: why"
    assert (streams.succeeded(""), streams.failed("", "why")) == (b"", b"Internal error occurred: why")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"output": ["1"]}, Options(False, True, False, False)),
        ({"input": ["1"], "error": ["1"], "tty": ["1"]}, Options(True, False, False, True)),
        ({"command": ["ls"]}, "you must specify at least 1 of stdin, stdout, stderr"),
    ],
)
def test_a_request_says_which_streams_it_wants(query, found):
    """With a terminal, errors come with the rest."""
    assert streams.options(query) == found
