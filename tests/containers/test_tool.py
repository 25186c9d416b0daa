"""The program of the recordings does what their README says, and pause does nothing."""

import pytest

from kubemini.containers import OOM_KILLED, CannotStart, File, Mount, NoCommand, Request, program_for
from kubemini.sim.units import SECOND

from .parts import Bench

TOOL = "registry.example.test/tool:1"
MIB = 1 << 20


def ended(bench: Bench) -> tuple[float, int, str]:
    assert bench.end is not None
    at, code, reason = bench.end
    return at / SECOND, code, reason


def test_pause_waits_without_an_event_until_it_is_told_to_end():
    bench = Bench("registry.k8s.io/pause:3.10").start().run()
    assert bench.end is None and bench.events == 0
    bench.inside.signal("TERM")
    assert bench.end is not None and bench.end[1] == 0


@pytest.mark.parametrize(
    ("args", "end"),
    [
        (("sleep", "3"), (3, 0, "")),
        (("crash", "2", "7"), (2, 7, "")),
        (("crash", "0", "1"), (0, 1, "")),
        (("msg", "all is lost", "2"), (0, 2, "")),
    ],
)
def test_a_program_ends_when_and_as_its_arguments_say(args, end):
    assert ended(Bench(TOOL, *args).start().run()) == end


@pytest.mark.parametrize(
    ("args", "end"),
    [
        (("sleep", "1000"), (5, 0, "")),
        (("http", "8080"), (5, 0, "")),
        (("term", "2", "3"), (7, 3, "")),
        (("ignoreterm", "1000"), (1000, 0, "")),
    ],
)
def test_each_takes_sigterm_in_its_own_way(args, end):
    bench = Bench(TOOL, *args).start().run(5 * SECOND)
    bench.inside.signal("TERM")
    bench.inside.signal("TERM")
    assert ended(bench.run(1000 * SECOND)) == end


def test_sigkill_ends_what_ignores_sigterm_with_137():
    bench = Bench(TOOL, "ignoreterm", "1000").start()
    bench.inside.signal("KILL")
    assert ended(bench) == (0, 137, "") and bench.run().waiting == 0


def test_who_eats_more_than_the_limit_is_killed_and_the_reason_is_told():
    assert ended(Bench(TOOL, "eat", "200", memory=100 * MIB).start()) == (0, 137, OOM_KILLED)
    bench = Bench(TOOL, "eat", "200", memory=200 * MIB).start()
    assert bench.end is None and bench.inside.memory == 200 * MIB


def test_a_server_is_bad_and_good_when_it_was_told_and_says_how_long_that_holds():
    bench = Bench(TOOL, "http", "8080", "8", "3").start()

    def healthz():
        answer = bench.inside.request(8080, Request(path="/healthz"))
        return answer.status, answer.until

    first, steady = healthz(), bench.run(3 * SECOND) and healthz()
    assert (first, steady) == ((503, 3 * SECOND), (200, 8 * SECOND))
    bench.run(8 * SECOND)
    assert healthz()[0] == 500 and healthz()[1] > 1000 * SECOND
    assert bench.events == 0, "a server waits for nobody"


def test_a_server_answers_slowly_elsewhere_and_as_it_is_set():
    inside = Bench(TOOL, "http", "8080").start().inside
    assert inside.request(8080, Request(path="/slow")).delay == 5 * SECOND
    assert inside.request(8080, Request(path="/out")).status == 302
    inside.request(8080, Request(path="/set?code=418"))
    assert inside.request(8080, Request(path="/healthz")).status == 418


def test_nobody_answers_where_nobody_listens():
    inside = Bench(TOOL, "http", "8080").start().inside
    assert inside.request(81, Request()) is None
    assert (inside.listens(8080), inside.listens(81), inside.ports) == (True, False, (8080,))
    assert inside.health(8080, "") is None


def test_a_grpc_server_serves_until_a_file_is_there_and_knows_one_service():
    bench = Bench(TOOL, "grpc", "9090").start()
    assert bench.inside.health(9090, "").status == "SERVING" and bench.inside.health(9090, "other").status == ""
    before = bench.changes
    bench.inside.files.write("/data/bad", b"")
    assert bench.inside.health(9090, "").status == "NOT_SERVING" and bench.changes > before


def test_a_message_is_found_where_the_container_says_that_it_will_be():
    log = File()
    Bench(TOOL, "msg", "all is lost", "2", mounts=(Mount("/dev/termination-log", log),)).start()
    other = File()
    Bench(TOOL, "msg", "own path", "0", "/data/why", mounts=(Mount("/data/why", other),)).start()
    assert (log.data, other.data) == (b"all is lost", b"own path")


def test_a_command_that_is_not_there_is_refused_in_the_words_of_the_runtime():
    with pytest.raises(
        CannotStart, match=r'^exec: "/nosuch/command": stat /nosuch/command: no such file or directory$'
    ):
        Bench(TOOL, command=("/nosuch/command",)).start()
    with pytest.raises(CannotStart, match=r'^exec: "nosuch": executable file not found in \$PATH$'):
        Bench(TOOL, command=("nosuch",)).start()


def test_an_image_without_a_command_needs_one_of_the_container():
    with pytest.raises(NoCommand, match=r"^no command specified$"):
        program_for("registry.example.test/nocmd:1", (), ())
    assert program_for("registry.example.test/nocmd:1", ("/bin/tool",), ()).argv == ("/bin/tool",)


def test_an_image_that_is_not_known_is_started_and_does_nothing_and_says_so():
    program = program_for("shop/web:1.0", (), ())
    assert program.note == "what shop/web:1.0 does is not known here: it is started, and does nothing"
    about = {"pod": "web-1", "image": "shop/web:1.0", "node": "worker-1"}
    bench = Bench("shop/web:1.0", ports=(8080,), about=about).start().run()
    assert bench.events == 0 and bench.inside.ports == (8080,)
    answer = bench.inside.request(8080, Request("POST", "/x"))
    assert answer.body == b"web-1 (shop/web:1.0) on worker-1 answers POST /x\n"
    bench.inside.signal("TERM")
    assert bench.end is not None and bench.end[1] == 0


def test_a_working_folder_that_is_a_file_is_refused():
    with pytest.raises(CannotStart, match=r"^error during container init: mkdir /bin/tool: not a directory$"):
        Bench(TOOL, "sleep", "1", workdir="/bin/tool").start()
