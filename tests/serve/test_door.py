"""One door, and what comes in by it: who may, what is answered, and how it ends."""

import contextlib
import json
import socket
import stat
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from tests.serve.doors import CONFIG_MAPS, Served, config_map, events


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("door"), "--api-only") as served:
        yield served


def test_its_one_line_says_where_it_is_and_what_to_export(door):
    assert door.line == f"kubemini: {door.url} answers; export KUBECONFIG={door.kubeconfig}\n"
    assert door.url.startswith("https://127.0.0.1:")


def test_nobody_else_may_read_the_kubeconfig(door):
    assert stat.S_IMODE(door.kubeconfig.stat().st_mode) == 0o600


def test_the_administrators_certificate_lets_one_write(door):
    made = door.ask(CONFIG_MAPS, "POST", config_map("written", k="v"))
    assert made.code == 201 and made.json["data"] == {"k": "v"}
    assert door.ask(f"{CONFIG_MAPS}/written").json["data"] == {"k": "v"}


def test_who_shows_nothing_may_ask_for_its_health_and_for_no_object(door):
    assert door.ask("/livez", certificate=False).body == b"ok"
    assert door.ask(CONFIG_MAPS, certificate=False).code == 403


def test_tokens_say_who_one_is(door):
    as_ = {name: {"Authorization": f"Bearer {name}token"} for name in ("root", "dev", "nobody")}
    codes = [door.ask(CONFIG_MAPS, headers=as_[name], certificate=False).code for name in as_]
    assert codes == [200, 403, 401]


def test_a_connection_serves_one_request_after_the_other(door):
    with contextlib.closing(door.connect()) as connection:
        socket = None
        for _ in range(3):
            connection.request("GET", "/livez")
            assert connection.getresponse().read() == b"ok"
            socket = socket or connection.sock
            assert connection.sock is socket


def test_a_head_has_no_body(door):
    answer = door.ask("/livez", "HEAD")
    assert answer.body == b""


def test_a_watch_tells_what_happens_while_it_happens(door):
    watch = door.watch(CONFIG_MAPS)
    known = door.ask(CONFIG_MAPS).json["items"]
    seen = events(watch, len(known))
    assert sorted(name for _, name in seen) == sorted(item["metadata"]["name"] for item in known)
    for number in range(3):
        door.ask(CONFIG_MAPS, "POST", config_map(f"seen-{number}"))
        assert events(watch, 1) == [("ADDED", f"seen-{number}")]
    watch.close()


def test_dates_are_todays(door):
    made = door.ask(CONFIG_MAPS, "POST", config_map("dated"))
    day = datetime.fromisoformat(made.json["metadata"]["creationTimestamp"]).date()
    assert abs(day - datetime.now(UTC).date()) <= timedelta(days=1)
    assert parsedate_to_datetime(made.headers["Date"]).date() == day


def test_it_ends_in_peace_when_it_is_told_to(tmp_path):
    with Served(tmp_path, "--api-only") as served:
        watch = served.watch(CONFIG_MAPS)
        events(watch, len(served.ask(CONFIG_MAPS).json["items"]))
        served.process.terminate()
        assert watch.read() == b"" and served.process.wait() == 0
        assert served.process.stdout.read() == ""


def test_the_audit_log_is_written_as_requests_come_and_go(tmp_path):
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, verbs: [create]}]\n")
    with Served(tmp_path, "--api-only", "--audit-policy-file", str(policy), "--audit-log-path", str(log)) as served:
        answer = served.ask(CONFIG_MAPS, "POST", config_map("told"))
        served.process.terminate()
        served.process.wait()
    told = [
        event for event in map(json.loads, log.read_text().splitlines()) if event["objectRef"].get("name") == "told"
    ]
    assert [event["stage"] for event in told] == ["ResponseComplete"]
    assert told[0]["user"]["username"] == "kubernetes-admin" and told[0]["responseStatus"]["code"] == answer.code
    assert told[0]["auditID"] == answer.headers["Audit-Id"]


def test_time_that_stands_goes_on_when_it_is_told_to(tmp_path):
    with Served(tmp_path, "--api-only", "--speed", "step") as served:
        made = [served.ask(CONFIG_MAPS, "POST", config_map(f"then-{number}")).json for number in range(2)]
        assert served.type("go 2h") == "kubemini: go 2h\n"
        first, second = map(created, made)
        assert second - first <= timedelta(seconds=2)
        now = {"metadata": {"generateName": "now-"}}
        while created(served.ask(CONFIG_MAPS, "POST", now).json) - second < timedelta(hours=2):
            pass


def created(obj):
    return datetime.fromisoformat(obj["metadata"]["creationTimestamp"])


def test_its_certificate_names_where_pods_find_it(tmp_path):
    range = "service_cluster_ip_range=10.7.0.0/16"
    with (
        Served(tmp_path, "--api-only", "--param", range) as served,
        contextlib.closing(served.connect()) as connection,
    ):
        connection.connect()
        names = connection.sock.getpeercert()["subjectAltName"]
    assert ("IP Address", "10.7.0.1") in names and ("IP Address", "127.0.0.1") in names


def test_a_client_that_offers_http_2_is_spoken_to_in_http_1(door):
    context = door.tls()
    context.set_alpn_protocols(["h2", "http/1.1"])
    url = urlsplit(door.url)
    with (
        socket.create_connection((url.hostname, url.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert tls.selected_alpn_protocol() == "http/1.1"
