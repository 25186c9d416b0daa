"""/portForward: pairs of streams, inside of a WebSocket or not, and the older way of channels."""

import pytest

from kubemini.containers import Answer
from kubemini.kubelet.decide import forwarding
from kubemini.kubelet.decide.forwarding import Left, Over, Pairs, Ports, Sent, Wanted
from kubemini.kubelet.decide.pages import HttpServer, ports
from kubemini.kubelet.decide.streams import Refusal
from kubemini.kubelet.serving.forwarding import Forwarding, refused
from tests.frames.masked import HELLO, SpdyClient, heard, sent
from tests.kubelet.parts import pod

TUNNEL = HELLO | {"sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io"}
SPDY = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x-stream-protocol-version": "portforward.k8s.io"}


def opened(client, number, port):
    """The two streams of one connection, as kubectl opens them."""
    error, data = 4 * number + 1, 4 * number + 3
    names = {"port": str(port), "requestid": str(number)}
    first = client.open(error, streamtype="error", **names) + client.data(error, b"", last=True)
    return first + client.open(data, streamtype="data", **names)


@pytest.mark.parametrize("tunnels", [True, False])
def test_two_streams_are_a_connection_and_bytes_go_both_ways(tunnels):
    client, carrier = SpdyClient(), forwarding.chosen(TUNNEL if tunnels else SPDY, {})
    assert isinstance(carrier, Pairs) and carrier.begin() == []
    framed = (lambda data: sent(2, data)) if tunnels else (lambda data: data)
    plain = (lambda data: b"".join(part for _, part in heard(data))) if tunnels else (lambda data: data)
    assert carrier.receive(framed(opened(client, 0, 80))) == [Wanted(0, 80)]
    assert [frame[1] for frame in client.read(plain(bytes(carrier.out)))] == [1, 3]
    assert carrier.receive(framed(client.data(3, b"GET"))) == [Sent(0, b"GET")]
    assert client.read(plain(carrier.data(0, b"200"))) == [("data", 3, b"200", False)]
    assert carrier.receive(framed(client.data(3, b"", last=True))) == [Left(0)]
    assert [frame[:2] for frame in client.read(plain(carrier.end(0)))] == [("data", 1), ("data", 3)]


def test_an_error_is_told_on_its_own_stream_and_resets_the_other():
    client, carrier = SpdyClient(), forwarding.chosen(SPDY, {})
    carrier.receive(opened(client, 0, 81))
    client.read(bytes(carrier.out))
    assert [(frame[0], frame[1]) for frame in client.read(carrier.end(0, "no"))] == [("data", 1), (3, 3)]


def test_a_client_without_numbers_is_understood_by_those_of_its_streams():
    client, carrier = SpdyClient(), forwarding.chosen(SPDY, {})
    raw = client.open(5, streamtype="error", port="80") + client.open(7, streamtype="data", port="80")
    assert carrier.receive(raw) == [Wanted(5, 80)]


def test_a_second_stream_of_one_kind_is_told_on_the_error_stream_and_changes_nothing():
    client, carrier = SpdyClient(), forwarding.chosen(SPDY, {})
    assert carrier.receive(opened(client, 0, 80) + client.open(9, streamtype="data", port="81", requestid="0")) == [
        Wanted(0, 80)
    ]
    said = client.read(bytes(carrier.out))
    assert ("data", 1, b"error processing stream for request 0: data stream already assigned", False) in said
    assert carrier.receive(client.data(3, b"GET")) == [Sent(0, b"GET")]


@pytest.mark.parametrize("number", ["x", "²", "9" * 5000])
def test_a_number_that_is_none_does_not_count(number):
    client, carrier = SpdyClient(), forwarding.chosen(SPDY, {})
    raw = client.open(5, streamtype="error", port="80", requestid=number)
    assert carrier.receive(raw + client.open(7, streamtype="data", port="80", requestid=number)) == [Wanted(5, 80)]


@pytest.mark.parametrize("port", ["", "0", "65536", "http"])
def test_a_stream_without_a_port_is_refused(port):
    client, carrier = SpdyClient(), forwarding.chosen(SPDY, {})
    assert carrier.receive(client.open(1, streamtype="data", port=port)) == []
    assert client.read(bytes(carrier.out))[0][:2] == (3, 1)


def test_the_end_of_either_protocol_ends_all():
    assert forwarding.chosen(TUNNEL, {}).receive(sent(8, b"")) == [Over()]
    assert forwarding.chosen(SPDY, {}).receive(SpdyClient().leave()) == [Over()]


def test_the_older_way_names_ports_in_the_url_and_tells_them_first():
    carrier = forwarding.chosen(HELLO, {"port": ["80,81"]})
    assert isinstance(carrier, Ports) and carrier.begin() == [Wanted(0, 80), Wanted(1, 81)]
    assert [part for _, part in heard(bytes(carrier.out))] == [b"\0P\0", b"\1P\0", b"\2Q\0", b"\3Q\0"]
    assert carrier.receive(sent(2, b"\2GET")) == [Sent(1, b"GET")]
    assert heard(carrier.data(1, b"200")) == [(2, b"\x02200")]
    assert heard(carrier.end(0, "no")) == [(2, b"\1no")]
    assert heard(carrier.end(1))[-1][0] == 8


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, 'query parameter "port" is required'),
        ({"port": [""]}, 'query parameter "port" cannot be empty'),
        ({"port": ["0"]}, 'port "0" must be > 0'),
        ({"port": ["x"]}, 'unable to parse "x" as a port'),
        ({"port": ["9" * 5000]}, "as a port: strconv.ParseUint"),
    ],
)
def test_a_url_without_ports_is_refused(query, text):
    found = forwarding.chosen(HELLO, query)
    assert isinstance(found, Refusal) and found.status == 400 and text in found.text


def test_a_tunnel_for_something_else_is_refused():
    found = forwarding.chosen(HELLO | {"sec-websocket-protocol": "SPDY/3.1+other.k8s.io"}, {})
    assert (
        isinstance(found, Refusal)
        and "client supports [other.k8s.io], server accepts [portforward.k8s.io]" in found.text
    )


def said_by(request, take):
    """A program that says what it is asked."""
    take(Answer(200, f"web-1 answers {request.method} {request.path}\n".encode()))
    return True


class Connection:
    """A connection to a program: what it has answered, and whether it has ended."""

    def __init__(self, serve=said_by):
        self.said, self.ended = b"", 0
        self.server = HttpServer(serve, self._push, self._close)

    def _push(self, data):
        self.said += data

    def _close(self):
        self.ended += 1

    def send(self, data):
        self.server.receive(data)
        return self


@pytest.mark.parametrize(
    ("asked", "said", "closes"),
    [
        (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"web-1 answers GET /a\n", False),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"answers GET /\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", b"answers GET /\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"answers GET /\n", False),
        (b"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"answers POST /b\n", False),
        (b"HEAD / HTTP/1.1\r\n\r\n", b"\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH\r\n\r\n", b"400 Bad Request", True),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400 Bad Request", True),
    ],
)
def test_a_program_in_a_pod_is_asked_by_http_and_answers_so(asked, said, closes):
    found = Connection().send(asked)
    assert found.said.endswith(said) and found.ended is int(closes)


def test_requests_on_one_connection_are_answered_one_by_one_when_they_are_whole():
    found = Connection().send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
    assert found.said == b""
    found.send(b"cdeGET /2 HTTP/1.1\r\n\r\nGET /3")
    assert found.said.count(b"HTTP/1.1 200 OK") == 2 and found.said.endswith(b"answers GET /2\n")


def test_an_answer_that_takes_its_time_holds_the_next_one_back():
    waiting = []
    found = Connection(lambda request, take: waiting.append((request, take)) or True)
    found.send(b"POST /1 HTTP/1.1\r\nX: y\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.0\r\n\r\n")
    ((first, take),) = waiting
    assert (first.path, first.headers["x"], first.body) == ("/1", "y", b"ab")
    take(Answer(503, b"no"))
    assert found.said.startswith(b"HTTP/1.1 503 Service Unavailable\r\n") and len(waiting) == 2
    assert not found.ended
    waiting[1][1](Answer(200, b""))
    assert found.ended == 1


def test_a_program_that_does_not_speak_http_ends_the_connection():
    found = Connection(lambda request, take: False).send(b"GET / HTTP/1.1\r\n\r\n")
    assert (found.said, found.ended) == (b"", 1)


def test_a_program_listens_where_its_container_says_and_else_on_80():
    declared = pod(container={"ports": [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}]})
    assert ports(declared) == {8080: "web"}
    assert ports(pod()) == {80: "web"}


def test_a_connection_to_a_port_where_nobody_listens_is_told_so_and_others_go_on():
    pushed, closed = [], []
    carrier, client = forwarding.chosen(SPDY, {}), SpdyClient()
    listens = {80: said_by, 81: refused(81, "s" * 64, "/var/run/netns/cni-1", False)}
    made = Forwarding(carrier, listens.get, pushed.append, lambda: closed.append(1))
    made.take(opened(client, 0, 81) + opened(client, 1, 80) + client.data(7, b"GET /x HTTP/1.1\r\n\r\n"))
    said = client.read(b"".join(pushed))
    assert any(
        payload.startswith(b"error forwarding port 81 to pod sss") for _, stream, payload, _ in said if stream == 1
    )
    assert any(payload.startswith(b"HTTP/1.1 200 OK") for _, stream, payload, _ in said if stream == 7)
    assert not closed
    made.take(client.leave())
    made.take(client.data(7, b"late"))
    assert closed == [1]
