"""Programs that ask others, and those that are asked by packet: nc, dig, getent, netexec's UDP; who a process is."""

import pytest

from kubemini.containers import ERR, OUT, File, Folder, Lookup, Mount, Packet, Request
from kubemini.sim.units import SECOND
from tests.containers.parts import Bench

HOSTS = Mount("/etc/hosts", File(b"127.0.0.1\tlocalhost\n10.1.2.3\tweb.sub\tweb # mine\n"))


def ran(*command, came=None, image="agnhost", **setting):
    return Bench(image, command=command, came=came, **setting).start()


def texts(bench, stream):
    return b"".join(data for _, number, data in bench.output if number == stream).decode()


@pytest.mark.parametrize(("flag", "protocol"), [("-t", "TCP"), ("-u", "UDP")])
def test_nc_sends_its_input_and_writes_what_comes_back(flag, protocol):
    line = f"echo hostName | nc -v {flag} -w 2 web 80"
    bench = ran("sh", "-c", line, came={"body": b"web-1", "error": ""})
    assert bench.asked == [("send", Packet(protocol, "web", 80, b"hostName\n", 2 * SECOND))]
    assert texts(bench, OUT) == "web-1"
    assert texts(bench, ERR) == f"Connection to web 80 port [{protocol.lower()}/*] succeeded!\n"


@pytest.mark.parametrize(
    ("flag", "error", "code"),
    [
        ("", "can't connect to remote host (10.0.0.1): Connection refused", 1),
        ("-u", "can't connect to remote host (10.0.0.1): Connection refused", 1),
        ("-u", "download timed out", 0),  # by UDP nobody knows whether silence is a mistake
    ],
)
def test_nc_ends_by_what_became_of_its_connection(flag, error, code):
    bench = ran("sh", "-c", f"echo x | nc {flag} -w 1 web 80", came={"body": b"", "error": error})
    assert bench.end is not None and bench.end[1] == code
    assert bench.said == ""


def test_dig_prints_the_records_or_what_they_hold():
    record = ("web.default.svc.cluster.local.", 30, "A", "10.96.0.7")
    bench = ran("dig", "+tcp", "+noall", "+answer", "+search", "web", "A", came={"records": [record], "silent": False})
    assert bench.asked == [("resolve", Lookup("web", "A", tcp=True, search=True))]
    assert bench.said.split() == ["web.default.svc.cluster.local.", "30", "IN", "A", "10.96.0.7"]
    short = ran("dig", "+short", "web.", "CNAME", came={"records": [record], "silent": False})
    assert short.asked == [("resolve", Lookup("web.", "CNAME"))] and short.said == "10.96.0.7\n"


def test_getent_reads_etc_hosts_before_it_asks_anybody():
    bench = ran("getent", "hosts", "web", mounts=(HOSTS,))
    assert bench.said.split() == ["10.1.2.3", "web.sub", "web"] and not bench.asked
    other = ran("getent", "hosts", "shop", came={"addresses": ()}, mounts=(HOSTS,))
    assert other.asked == [("lookup", "shop")] and other.end is not None and other.end[1] == 2


def test_netexec_answers_packets_by_udp_beside_requests():
    bench = Bench("agnhost", "netexec", "--http-port=80", "--udp-port=80", hostname="web-1").start()
    assert bench.inside.datagram(80, b"hostName\n", "10.0.0.9") == b"web-1"
    assert bench.inside.datagram(80, b"echo Hello You", "10.0.0.9") == b"hello you"
    assert bench.inside.datagram(80, b"?", "10.0.0.9") == b""
    assert bench.inside.datagram(81, b"hostName", "10.0.0.9") is None
    assert bench.inside.listens(80)


@pytest.mark.parametrize("flag", [("--udp-port=-1",), ("--udp-port", "-1")])
def test_netexec_leaves_udp_alone_if_told_so(flag):
    bench = Bench("agnhost", "netexec", *flag).start()
    assert bench.inside.listens(8080) and bench.inside.datagram(8081, b"hostname", "10.0.0.9") is None


def test_dial_asks_by_udp():
    bench = Bench("agnhost", "netexec", came={"body": b"web-1", "error": ""}).start()
    taken = []
    path = "/dial?request=hostname&protocol=udp&host=10.0.0.1&port=8081&tries=1"
    assert bench.inside.answer(8080, Request(path=path), taken.append)
    assert [answer.body for answer in taken] == [b'{"responses":["web-1"]}']
    assert bench.asked == [("send", Packet("UDP", "10.0.0.1", 8081, b"hostname", 5 * SECOND))]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("id", "uid=1001 gid=2002 groups=2002,3003\n"),
        ("id -u", "1001\n"),
        ("id -G", "2002 3003\n"),
        ("sysctl -n kernel.shm_rmid_forced", "1\n"),
    ],
)
def test_a_process_is_whom_its_container_makes_it(command, said):
    setting = {"user": 1001, "groups": (2002, 3003), "sysctls": {"kernel.shm_rmid_forced": "1"}}
    assert ran(*command.split(), image="busybox", **setting).said == said


@pytest.mark.parametrize(("privileged", "code", "said"), [(False, 2, "not permitted"), (True, 0, "")])
def test_only_who_is_privileged_changes_the_network_of_the_machine(privileged, code, said):
    bench = ran("ip", "link", "add", "dummy0", "type", "dummy", image="busybox", privileged=privileged)
    assert bench.end is not None and bench.end[1] == code and said in texts(bench, ERR)


@pytest.mark.parametrize(("escalates", "uid"), [(True, 0), (False, 1000)])
def test_a_process_becomes_more_than_it_was_unless_that_is_forbidden(escalates, uid):
    assert Bench("nonewprivs:1.4", user=1000, escalates=escalates).start().said == f"Effective uid: {uid}\n"


def test_nobody_writes_to_a_root_that_is_read_only_but_to_its_volumes():
    line, volume = "echo x > /f; echo y > /v/f; cat /v/f", Mount("/v", Folder())
    bench = ran("sh", "-c", line, image="busybox", fixed=True, mounts=(volume,))
    assert "can't create /f: Read-only file system" in texts(bench, ERR) and texts(bench, OUT) == "y\n"
