"""The programs of a simulated container, each run on its own."""

from datetime import datetime

import pytest

from kubemini.kubelet.decide import commands, insides
from kubemini.kubelet.decide.commands import ERR, OUT, Ask, Clock, Facts, Read, Sleep, Write
from kubemini.sim.units import SECOND
from tests.kubelet.parts import pod

FACTS = Facts(
    "web-1", {"PATH": "/bin", "SHOP": "open"}, {"/etc/hostname": "web-1\n", "/etc/resolv.conf": "x\n"}, ("nginx",)
)


def run(words, given=(), facts=FACTS, told=None):
    """(output, errors, code, µs) of a program whose input is *given*."""
    program, out, slept, got = commands.find(words), {OUT: "", ERR: ""}, 0, None
    assert program is not None
    steps, given = program(words, facts), [*given, None]
    try:
        while True:
            step, got = steps.send(got), None
            match step:
                case Write():
                    out[step.stream] += step.text
                case Sleep():
                    slept += step.time
                case Clock():
                    got = datetime(2026, 1, 2, 3, 4, 5)
                case Read():
                    got = given.pop(0) if given[1:] else None
                case Ask():
                    got = told[step]
    except StopIteration as ended:
        return out[OUT], out[ERR], ended.value, slept


@pytest.mark.parametrize(
    ("words", "out", "err", "code"),
    [
        (["true"], "", "", 0),
        (["false"], "", "", 1),
        (["echo", "a", "b"], "a b\n", "", 0),
        (["echo", "-n", "a"], "a", "", 0),
        (["hostname"], "web-1\n", "", 0),
        (["/bin/hostname"], "web-1\n", "", 0),
        (["env"], "PATH=/bin\nSHOP=open\n", "", 0),
        (["printenv", "SHOP"], "open\n", "", 0),
        (["printenv", "NONE"], "", "", 1),
        (["date"], "Fri Jan  2 03:04:05 UTC 2026\n", "", 0),
        (["cat", "/etc/hostname"], "web-1\n", "", 0),
        (["cat", "/x"], "", "cat: can't open '/x': No such file or directory\n", 1),
        (["ls", "/etc"], "hostname\nresolv.conf\n", "", 0),
        (["ls", "/none"], "", "ls: /none: No such file or directory\n", 1),
        (["ps"], "PID   USER     TIME  COMMAND\n    1 root      0:00 nginx\n    2 root      0:00 ps\n", "", 0),
        (["sh", "-c", "echo a; hostname"], "a\nweb-1\n", "", 0),
        (["sh", "-c", "false && echo no"], "", "", 1),
        (["sh", "-c", "false || echo yes"], "yes\n", "", 0),
        (["sh", "-c", "nope"], "", "sh: nope: not found\n", 127),
        (["sh", "-c", "exec echo x"], "x\n", "", 0),
        (["sh", "-c", "echo a; exit 3; echo b"], "a\n", "", 3),
        (["sh", "-c", "false; exit"], "", "", 1),
        (["sh", "-c", "exit ²"], "", "", 0),
        (["sh", "-c", f"false; exit {'9' * 5000}"], "", "", 1),
        (["sh", "-c", "exec; echo x"], "x\n", "", 0),
        (["sleep", "x"], "", "sleep: invalid number 'x'\n", 1),
    ],
)
def test_a_program_says_what_the_simulation_knows(words, out, err, code):
    assert run(words)[:3] == (out, err, code)


def test_what_a_shell_does_not_understand_it_says():
    out, err, code, _ = run(["sh", "-c", "echo $HOME | wc"])
    assert (out, code) == ("", 2) and "this shell runs commands with ; && || between them" in err


def test_a_sleep_takes_its_time():
    assert run(["sleep", "1.5"])[3] == 1.5 * SECOND
    assert run(["sh", "-c", "sleep 1; sleep 2"])[3] == 3 * SECOND


def test_cat_and_a_shell_read_until_their_input_ends():
    assert run(["cat"], [b"one\n", b"two\n"])[0] == "one\ntwo\n"
    assert run(["sh"], [b"hostname\nec", b"ho x\nexit\nls\n"])[0] == "web-1\nx\n"
    assert run(["sh"], [b"false"])[2] == 1
    assert run(["sh"], [b"exit 7\n"])[2] == 7
    assert run(["sh"], [b"echo a; exit 7; echo b\nls\n"])[::2] == ("a\n", 7)


def test_shells_within_shells_have_an_end():
    refused = "sh: can't fork: Resource temporarily unavailable\n"
    inside = commands.DEEPEST - 1
    assert run(["sh"], [b"sh\n"] * (inside + 500) + [b"hostname\n"])[:2] == ("web-1\n", refused * 500)


def test_a_shell_at_a_terminal_prompts_and_echoes():
    facts = Facts("web-1", {}, {}, ("nginx",), tty=True)
    out, _, code, _ = run(["sh"], [b"hostnamf\x7fe\r", b"\x04"], facts)
    assert (out, code) == ("/ # hostnamfe\nweb-1\n/ # ", 0)


def test_names_and_pages_are_asked_of_the_network():
    found = {"name": "web", "addresses": ("10.96.0.5",), "server": "10.96.0.10", "silent": False}
    told = {Ask("lookup", "web"): found, Ask("lookup", "no"): found | {"addresses": ()}}
    told[Ask("lookup", "mute")] = found | {"addresses": (), "silent": True}
    out, _, code, _ = run(["nslookup", "web"], told=told)
    assert code == 0 and "Server:\t\t10.96.0.10\n" in out and out.endswith("Name:\tweb\nAddress: 10.96.0.5\n\n")
    assert "** server can't find no: NXDOMAIN" in run(["nslookup", "no"], told=told)[0]
    assert "no servers could be reached" in run(["nslookup", "mute"], told=told)[0]
    pages = {
        Ask("fetch", "http://web"): {"body": "hello\n", "error": ""},
        Ask("fetch", "x"): {"body": "", "error": "bad address 'x'"},
    }
    assert run(["wget", "-qO-", "http://web"], told=pages)[:3] == ("hello\n", "", 0)
    assert run(["wget", "x"], told=pages)[:3] == ("", "wget: bad address 'x'\n", 1)


@pytest.mark.parametrize("words", [["bash"], ["/usr/local/bin/ls"], [], ["./ls"]])
def test_what_is_not_there_is_not_found(words):
    assert commands.find(words) is None


def test_the_runtime_says_where_it_has_looked():
    assert commands.not_found("bash").endswith('exec: "bash": executable file not found in $PATH')
    assert commands.not_found("/bin/bash").endswith('exec: "/bin/bash": stat /bin/bash: no such file or directory')


def test_a_container_knows_its_name_its_services_and_what_its_manifest_says():
    env = [{"name": "A", "value": "1"}, {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    env.append({"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    made = pod(container={"env": env, "command": ["serve", "--fast"]}, subdomain="sub")
    facts = insides.facts(
        made, made["spec"]["containers"][0], ["10.1.2.3"], {"S_HOST": "10.96.0.1"}, "conf\n", "n1", True
    )
    assert facts.environment == {
        "PATH": insides.PATH,
        "HOSTNAME": "web-1",
        "S_HOST": "10.96.0.1",
        "A": "1",
        "ME": "web-1",
        "IP": "10.1.2.3",
        "HOME": "/root",
        "TERM": "xterm",
    }
    assert facts.files["/etc/hosts"].endswith("10.1.2.3\tweb-1.sub.default.svc.cluster.local\tweb-1\n")
    assert facts.processes == ("serve --fast",)
    assert insides.hostname(pod(hostNetwork=True), "n1") == "n1"
