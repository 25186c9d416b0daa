"""A container's shell does what a real one does, and hears its signals as late as that."""

import pytest

from kubemini.containers import Request
from kubemini.containers.streams import Buffered, Terminal
from kubemini.sim.units import MS, SECOND

from .parts import Bench
from .scripts import differs


def sh(script: str, **setting) -> Bench:
    return Bench("busybox", script, command=("/bin/sh", "-c"), **setting).start()


def ended(bench: Bench) -> tuple[float, int]:
    assert bench.end is not None
    return bench.end[0] / SECOND, bench.end[1]


@pytest.mark.needs("dash")
@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_scripts_say_and_end_as_they_do_in_a_real_shell(first):
    assert not "\n".join(filter(None, map(differs, range(first, first + 50))))


@pytest.mark.parametrize(
    ("script", "said", "code"),
    [
        ('for i in 1 2 3; do echo "n$i"; done', "n1\nn2\nn3\n", 0),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3\n", 0),
        ("if [ -e /v/x ]; then exit 0; fi; touch /tmp/x; exit 1", "", 1),
        ("n=$(cat /v/n 2>/dev/null || echo 0); echo $((n+1))", "1\n", 0),
        ("touch f; [[ -r f ]] && echo yes; [[ -r g ]] || [[ -r f ]", "yes\n", 2),
        ("nosuch; echo $?", "127\n", 0),
        ("exit 42", "", 42),
        ("false", "", 1),
        ("kill -TERM 99; echo $?", "1\n", 0),
        ("sh -c 'kill -KILL $$'; echo $?", "137\n", 0),
        ("if true; then echo a", "", 2),
        ("f() { f; }; f", "", 2),
        ("a() { echo x > /nodir/f; }; a || echo failed", "failed\n", 0),
        ("printf '%s-%03d|' a 7 b 8", "a-007|b-008|", 0),
        ("echo 'A=1' > e; . ./e; echo $A", "1\n", 0),
        ("printf '#!/bin/sh\\necho in $1\\n' > s; chmod +x s; ./s it", "in it\n", 0),
        ("yes=1; unset yes; echo ${yes-none}; set -e; false; echo never", "none\n", 1),
        ("seq 3 | sed 's/^/n/;2d' | tr n N", "N1\nN3\n", 0),
        ("printf 'b 2\\na 10\\n' | sort -k 2 -n | cut -d ' ' -f 1 | head -n 1", "b\n", 0),
        ("ls -A1 /bin | grep -E '^(cat|sh)$'", "cat\nsh\n", 0),
        ("echo hello | tee a | wc -c; cat a | sha256sum | cut -c 1-8", "6\n5891b5b5\n", 0),
    ],
)
def test_a_script_says_and_ends_as_it_should(script, said, code):
    bench = sh(script).run()
    assert (bench.said, ended(bench)[1]) == (said, code)


def test_a_sleep_takes_its_time_and_nothing_else_does():
    bench = sh("echo a; sleep 1.5; echo b; sleep 2m; exit 3").run()
    assert [(at / SECOND, data) for at, _, data in bench.output] == [(0, b"a\n"), (1.5, b"b\n")]
    assert ended(bench) == (121.5, 3)


def test_process_one_without_a_trap_does_not_hear_sigterm():
    bench = sh("while true; do sleep 1; done").run(10 * SECOND)
    bench.inside.signal("TERM")
    assert bench.run(60 * SECOND).end is None
    bench.inside.kill()
    assert ended(bench) == (60, 137)


def test_a_trap_waits_for_the_command_in_the_foreground():
    bench = sh("trap 'echo term; exit 4' TERM; sleep 10; echo never").run(3 * SECOND)
    bench.inside.signal("TERM")
    bench.run()
    assert (bench.said, ended(bench)) == ("term\n", (10, 4))


def test_a_wait_does_not_let_a_trap_wait():
    bench = sh("trap 'echo term; exit 5' TERM; sleep 10 & wait; echo never").run(3 * SECOND)
    bench.inside.signal("TERM")
    assert (bench.said, ended(bench.run())) == ("term\n", (3, 5))


def test_a_loop_of_short_sleeps_hears_it_soon_and_ends_well():
    bench = sh('trap "echo term; exit 0" TERM; while true; do sleep .2; done').run(900 * MS)
    bench.inside.signal("TERM")
    bench.run()
    assert (bench.said, ended(bench)) == ("term\n", (1, 0))


def test_the_last_command_takes_the_place_of_the_shell():
    bench = sh("echo a; sleep 100")
    assert bench.exec("ps")[1].splitlines()[1].split()[3:] == ["sleep", "100"]


def test_exec_puts_another_program_in_its_place_later():
    bench = Bench("tool", "sleep 5; exec /bin/tool http 8080", command=("/bin/sh", "-c")).start()
    assert not bench.inside.listens(8080)
    bench.run(5 * SECOND)
    assert bench.inside.listens(8080)
    bench.inside.signal("TERM")
    assert ended(bench) == (5, 0)


def test_a_server_in_the_background_is_killed_by_its_number_and_the_shell_lives_on():
    script = '/bin/tool http 8080 & trap "kill %1; sleep 6; exit 0" TERM; while true; do sleep 1; done'
    bench = Bench("tool", script, command=("/bin/sh", "-c")).start().run(4500 * MS)
    assert bench.inside.request(8080, Request(path="/healthz")).status == 200
    bench.inside.signal("TERM")
    bench.run(5 * SECOND)
    assert not bench.inside.listens(8080) and ended(bench.run()) == (11, 0)


def test_what_a_command_writes_to_process_ones_output_is_in_the_log():
    bench = sh("sleep 100")
    assert bench.exec("/bin/sh", "-c", "echo prestop > /proc/1/fd/1; echo mine") == ([0], "mine\n")
    assert bench.said == "prestop\n"


def test_a_loop_without_end_holds_up_nobody():
    bench = sh("while true; do :; done").run(3 * SECOND)
    assert bench.end is None and 2 <= bench.events <= 5


def test_processes_without_number_end_in_a_refusal():
    assert ended(sh("i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i+1)); done").run(SECOND)) == (0, 2)


def test_a_pipe_that_nobody_reads_ends_who_writes_into_it():
    bench = sh("{ sleep 1; echo late; echo $? >&2; } | true; echo over").run()
    assert bench.said == "over\n" and all(stream == 1 for _, stream, _ in bench.output)


def test_a_shell_that_somebody_talks_to_carries_out_line_by_line():
    bench = Bench("busybox", "1000", command=("sleep",)).start()
    typed, codes, said = Terminal(), list[int](), list[bytes]()
    bench.inside.exec(["sh"], lambda stream, data: said.append(data), codes.append, typed, {"TERM": "xterm"})
    for text in (b"ech", b"x\x7fo hi\r", b"if true\r", b"then echo deep; fi\r", b"nosuch\r", b"exit 7\r"):
        typed.feed(text)
    shown = b"".join(said).decode()
    assert codes == [7]
    assert (
        shown
        == "/ # echxo hi\nhi\n/ # if true\n> then echo deep; fi\ndeep\n/ # nosuch\nsh: nosuch: not found\n/ # exit 7\n"
    )


def test_a_container_with_an_input_waits_for_what_is_typed():
    bench = Bench("busybox", stdin=True, tty=True).start().run()
    assert (bench.end, bench.said, bench.events) == (None, "/ # ", 0)
    bench.inside.typed.feed(b"[ -t 0 ] && exit 3\r")
    assert bench.end is not None and bench.end[1] == 3


def test_a_container_without_one_comes_to_the_end_of_it_at_once():
    assert ended(Bench("busybox").start()) == (0, 0)


def test_a_script_that_comes_by_the_input_leaves_the_rest_to_its_commands():
    bench, script, said = sh("sleep 100"), Buffered(), list[bytes]()
    script.feed(b"read x\nfirst\necho got $x\ncat\nlast\n")
    script.feed(None)
    bench.inside.exec(["sh", "-s"], lambda stream, data: said.append(data), lambda code: None, script)
    assert b"".join(said) == b"got first\nlast\n"
