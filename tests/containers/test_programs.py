"""Servers answer as the real ones do, by their ports, pages and logs; a function of a reader's is a program too."""

import json

import pytest

from kubemini.containers import Answer, File, Folder, Inside, Mount, Request, Setting, program_for
from kubemini.containers.process import Process, Sleep
from kubemini.sim.units import MS, SECOND

from .parts import Bench


def ask(bench: Bench, port: int, path: str = "/", method: str = "GET", **more) -> Answer | None:
    taken: list[Answer] = []
    there = bench.inside.answer(port, Request(method, path, **more), taken.append)
    bench.run(bench.now + SECOND)
    return taken[0] if there and taken else None


def test_nginx_welcomes_whoever_asks_and_logs_it():
    bench = Bench("nginx:1.29").start()
    answer = ask(bench, 80, headers={"user-agent": "curl/8"}, source="10.244.1.2")
    assert (answer.status, len(answer.body), answer.headers[0]) == (200, 615, ("Content-Type", "text/html"))
    assert ask(bench, 80, "/none").status == 404 and not bench.inside.listens(8080)
    assert "10.244.1.2 - - [" in bench.said and '] "GET / HTTP/1.1" 200 615 "-" "curl/8" "-"\n' in bench.said
    bench.inside.signal("QUIT")
    assert bench.end is not None and bench.end[1] == 0


def test_nginx_reads_its_configuration_and_again_when_told():
    conf = Folder(
        {"a.conf": File(b'server { listen 8080; location = /healthz { return 200 "ok"; } root /srv; gzip on; }')}
    )
    srv = Folder({"index.html": File(b"mine")})
    mounts = (Mount("/etc/nginx/conf.d", conf), Mount("/srv", srv))
    bench = Bench("nginx", mounts=mounts).start()
    assert (ask(bench, 8080, "/healthz").body, ask(bench, 8080).body) == (b"ok", b"mine")
    assert bench.output[0][2] == b'nginx: [warn] "gzip" does nothing in this simulation\n'
    conf.inside["a.conf"] = File(b"server { listen 81; location /old { return 301 /new; } }")
    bench.exec("nginx", "-s", "reload")
    assert bench.inside.ports == (81,) and ask(bench, 81, "/old/x").headers[-1] == ("Location", "/new")


def test_nginx_passes_on_and_says_so_when_nobody_is_behind():
    conf = Folder({"a.conf": File(b"server { location / { proxy_pass http://web:8080/; } }")})
    bench = Bench("nginx", mounts=(Mount("/etc/nginx/conf.d", conf),), came={"body": "page", "error": ""}).start()
    assert ask(bench, 80, "/x?y=1").body == b"page" and bench.asked == [("fetch", "http://web:8080/x?y=1")]
    bench.came = {"body": "", "error": "bad address 'web'"}
    assert ask(bench, 80, "/").status == 502


def test_apache_works():
    bench = Bench("httpd:2.4").start()
    assert ask(bench, 80).body == b"<html><body><h1>It works!</h1></body></html>\n"
    assert bench.said.endswith('"GET / HTTP/1.1" 200 45\n')


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/hostname", 200, "web-1"),
        ("/echo?msg=hi%20you&code=201", 201, "hi you"),
        ("/envvar?var=A", 200, "1"),
        ("/envvar?var=B", 500, 'env var "B" is not set\n'),
        ("/serverport", 200, "8083"),
        ("/healthz", 200, ""),
        ("/readyz", 200, "ok"),
        ("/header?key=X-A", 200, "b"),
        ("/clientip", 200, "10.0.0.9:32769"),
        ("/shell?cmd=echo%20a;exit%203", 200, '{"error":"exit status 3","output":"a\\n"}'),
        ("/shell?cmd=sleep%200.5;pwd", 200, '{"output":"/\\n"}'),
        ("/dial?host=10.0.0.1&port=80&request=hostname", 200, '{"responses":["web-2"]}'),
        ("/redirect?location=/x", 302, ""),
    ],
)
def test_netexec_answers_by_its_path(path, status, body):
    came = {"body": "web-2", "error": ""}
    setting = {"hostname": "web-1", "environment": {"A": "1"}, "came": came}
    bench = Bench("registry.k8s.io/e2e-test-images/agnhost:2.57", "netexec", "--http-port=8083", **setting).start()
    answer = ask(bench, 8083, path, headers={"x-a": "b"}, source="10.0.0.9")
    assert (answer.status, answer.body.decode()) == (status, body)


def test_netexec_drains_for_as_long_as_it_is_told():
    bench = Bench("agnhost", "netexec", "--delay-shutdown", "5").start()
    bench.inside.signal("TERM")
    assert ask(bench, 8080, "/readyz").status == 503 and ask(bench, 8080, "/healthz").status == 200
    assert bench.run().end == (5 * SECOND, 0, "")


def test_netexec_exits_when_asked_and_answers_no_more():
    bench = Bench("agnhost", "netexec").start()
    assert ask(bench, 8080, "/exit?code=7&wait=300ms") is None and bench.end == (300 * MS, 7, "")


def test_agnhost_pauses_by_default_and_says_why_it_ends():
    log = File()
    bench = Bench("agnhost", mounts=(Mount("/dev/termination-log", log),)).start()
    bench.inside.signal("TERM")
    assert bench.end == (0, 2, "") and log.data == b'exiting because of signal "terminated"\n'


def test_the_small_ones_of_agnhost_say_what_kubernetes_tests_look_for():
    tester = Bench("agnhost", "entrypoint-tester", "a", "b").start()
    assert tester.said == "[/agnhost entrypoint-tester a b]\n"
    other = Bench("agnhost", "x", command=("/agnhost-2", "entrypoint-tester")).start()
    assert other.said == "[/agnhost-2 entrypoint-tester x]\n"
    volume = Mount("/v", Folder({"f": File(b"text", 0o400)}, 0o777, "tmpfs"))
    flags = (
        "mounttest",
        "--fs_type=/v",
        "--file_mode=/v",
        "--file_perm=/v/f",
        "--file_content=/v/f",
        "--new_file_0644=/v/n",
    )
    bench = Bench("agnhost", *flags, mounts=(volume,)).start()
    assert bench.said.splitlines() == [
        'mount type of "/v": tmpfs',
        'content of file "/v/n": mount-tester new file',
        "",
        'mode of file "/v": drwxrwxrwx',
        'perms of file "/v/f": -r--------',
        'content of file "/v/f": text',
    ]


def test_a_file_that_changes_is_looked_at_again_and_again():
    volume = Folder({"f": File(b"one")})
    flags = ("mounttest", "--break_on_expected_content=false", "--retry_time=6", "--file_content_in_loop=/v/f")
    bench = Bench("agnhost", *flags, mounts=(Mount("/v", volume),)).start().run(3 * SECOND)
    volume.inside["f"] = File(b"two")
    bench.run()
    assert bench.said.strip() == "".join(f'content of file "/v/f": {text}\n' for text in ("one", "one", "two")).strip()
    assert bench.end == (6 * SECOND, 0, "")


def test_liveness_is_well_for_ten_seconds_and_grpc_as_long_as_it_is_told():
    bench = Bench("agnhost", "liveness").start()
    assert ask(bench, 8080, "/healthz").body == b"ok"
    assert ask(bench.run(11 * SECOND), 8080, "/healthz").status == 500
    health = Bench("agnhost", "grpc-health-checking", "--delay-unhealthy-sec=5").start()
    assert health.inside.health(5000, "").until == 5 * SECOND
    assert health.run(5 * SECOND).inside.health(5000, "").status == "NOT_SERVING"
    assert health.inside.health(5000, "other").status == ""


def test_porter_answers_on_the_ports_of_its_environment():
    bench = Bench("agnhost", "porter", "--json-response", environment={"SERVE_PORT_80": "foo"}).start()
    assert json.loads(ask(bench, 80, method="POST").body) == {"Method": "POST", "Body": "foo"}


def test_echo_servers_say_back():
    assert ask(Bench("hashicorp/http-echo", "-text=hi", "-listen=:81").start(), 81).body == b"hi\n"
    assert b"Hostname: w-1\n" in ask(Bench("traefik/whoami", hostname="w-1").start(), 80).body
    body = ask(Bench("registry.k8s.io/echoserver:1.10").start(), 8080, "/p", headers={"host": "h"}).body
    assert b"\treal path=/p\n" in body and b"\thost=h\n" in body


def test_busybox_serves_the_files_of_a_folder():
    bench = Bench("busybox", "echo hi > index.html; httpd -f -p 8080", command=("sh", "-c")).start()
    assert ask(bench, 8080).body == b"hi\n" and ask(bench, 8080, "/none").status == 404


# -- what a reader registers
def inside_of(function, bench: Bench, **setting) -> Inside:
    return Inside(program_for("shop/api:2", (), ("x",), {"api": function}), Setting(**setting), bench)


def test_a_function_answers_on_the_ports_that_its_container_declares():
    def api(request: Request):
        return (404, "none") if request.path == "/none" else f"{request.method} {request.path}"

    bench = Bench("pause")
    bench.inside = inside_of(api, bench, ports=(8080, 9090))
    bench.start()
    assert (ask(bench, 9090, "/a").body, ask(bench, 8080, "/none").status) == (b"GET /a", 404)


def test_a_generator_lives_as_a_process_and_ends_as_it_says():
    def worker(process: Process):
        process.out(f"{process.argv[1]}\n")
        yield Sleep(3 * SECOND)
        return 4

    bench = Bench("pause")
    bench.inside = inside_of(worker, bench)
    bench.start().run()
    assert (bench.said, bench.end) == ("x\n", (3 * SECOND, 4, ""))


def test_a_function_that_raises_ends_its_container_alone():
    bench = Bench("pause")
    bench.inside = inside_of(lambda request: 1 // 0, bench)
    bench.start()
    assert ask(bench, 80).status == 500 and bench.end == (0, 1, "")
    assert bench.output[0][2] == b"ZeroDivisionError: integer division or modulo by zero\n"


def test_agnhost_has_the_files_of_porter_and_serves_what_lies_in_it():
    bench = Bench("agnhost", "test-webserver").start()
    assert [bench.inside.request(80, Request("GET", path)).status for path in ("/localhost.crt", "/none", "/")] == [
        *(200, 404, 200)
    ]


@pytest.mark.parametrize(
    ("options", "error", "said", "code"),
    [
        (("-q", "-s"), "", "page", 0),
        (("--connect-timeout", "5", "-m", "3"), "", "page", 0),
        ((), "bad address 'web'", "curl: (6) Could not resolve host\n", 6),
        (("-s",), "can't connect to remote host (10.0.0.1): Connection refused", "", 7),
        (("-sS",), "download timed out", "curl: (28) Connection timed out\n", 28),
        (("-s", "-f"), "server returned error: HTTP/1.1 404 Not Found", "", 22),
        (("-s",), "server returned error: HTTP/1.1 404 Not Found", "", 0),
    ],
)
def test_curl_fetches_a_page_and_ends_as_its_manual_says(options, error, said, code):
    came = {"body": "" if error else "page", "error": error}
    bench = Bench("agnhost", *options, "http://web/", command=("curl",), came=came).start()
    told = b"".join(data for _, _, data in bench.output).decode()
    assert (told, bench.end[1]) == (said, code)
