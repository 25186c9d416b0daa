"""Random scripts in the language that our shell and a real one both speak, and what each makes of them.

    python -m tests.containers.scripts --count 500 --seed 3 [--applets FOLDER]

A script ends: its loops count. It says nothing that depends on the order of two processes, and asks for nothing in
which dash and busybox's ash differ (echo with backslashes, the words of errors).
"""

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable

from tests.containers.parts import Bench

DASH = ("/usr/bin/dash", "/usr/bin:/bin")
NAMES = ("a", "b", "c", "x")
TEXTS = ("", "one", "two words", " lead", "a:b:c", "x*", "3", "07", "-q", "$HOME", "file.tar.gz", "a b  c", "[z]", "~")
PATTERNS = ("*", "?*", "[a-m]*", "*.gz", "o?e", "3|07", "'*'", "[!a]*", "*b*", "\\*")
CUTS = ("#", "##", "%", "%%")


class Writer:
    """Writes one script, by chance of its own."""

    def __init__(self, seed: int):
        self.luck = random.Random(seed)
        self.counters = 0

    def pick(self, *choices: Callable[[int], str]) -> Callable[[int], str]:
        return self.luck.choice(choices)

    def script(self) -> str:
        head = "".join(f"{name}={self.quoted(self.luck.choice(TEXTS))}\n" for name in NAMES)
        if self.luck.random() < 0.15:
            head += "set -e\n"
        if self.luck.random() < 0.3:
            head += f"set -- {' '.join(self.quoted(self.luck.choice(TEXTS)) for _ in range(self.luck.randrange(4)))}\n"
        lines = [self.statement(3) for _ in range(self.luck.randint(2, 6))]
        return head + "\n".join(lines) + "\n"

    # -- words
    def quoted(self, text: str) -> str:
        return "'" + text.replace("'", "'\\''") + "'"

    def word(self, depth: int = 2) -> str:
        name = self.luck.choice(NAMES)
        plain = [
            lambda: self.quoted(self.luck.choice(TEXTS)),
            lambda: f"${name}",
            lambda: f'"${name}"',
            lambda: self.luck.choice(["w", "v1", "q-r", "x.y", "a/b"]),
            lambda: f"${{{name}}}s",
            lambda: f"${{#{name}}}",
            lambda: self.braced(name, (":-", "-", ":+", "+"), ("d e", "$b", '"d  e"', "")),
            lambda: '"' + self.braced(name, (":-",), ("d e", "$c", "q")) + '"',
            lambda: self.braced(name, CUTS, ("*.", "?", "*:", "a", "[a-o]", '"*"')),
            lambda: '"' + self.braced(name, CUTS, ("*o", "?", ":*", ".*")) + '"',
            lambda: self.luck.choice(['"$@"', "$*", '"$*"', "$#", "$1", '"${2-none}"', "$@", '"a$@b"']),
            lambda: f"$(({self.sum(2)}))",
            lambda: '"q \\$z \\" `echo in`"',
        ]
        if depth:
            plain += [lambda: f"$({self.simple(depth - 1)})", lambda: f'"$({self.simple(depth - 1)})"'] * 2
        return self.luck.choice(plain)()

    def digit(self) -> int:
        return self.luck.randint(0, 9)

    def braced(self, name: str, operators: tuple[str, ...], words: tuple[str, ...]) -> str:
        return f"${{{name}{self.luck.choice(operators)}{self.luck.choice(words)}}}"

    def sum(self, depth: int) -> str:
        if not depth or self.luck.random() < 0.3:
            return self.luck.choice(["1", "2", "7", "010", "0x1f", "n", "$#", "-3", "(2)"])
        operator = self.luck.choice(["+", "-", "*", "/", "%", "<", ">=", "==", "&&", "||", "&", "|", "^", "<<", "?"])
        if operator == "?":
            return f"({self.sum(depth - 1)}) ? {self.sum(depth - 1)} : {self.sum(depth - 1)}"
        right = self.luck.choice(["2", "3", "5"]) if operator in "/%<<" else self.sum(depth - 1)
        return f"({self.sum(depth - 1)}) {operator} {right}"

    # -- commands
    def simple(self, depth: int) -> str:
        name = self.luck.choice(NAMES)
        words = " ".join(self.word(depth) for _ in range(self.luck.randint(1, 3)))
        return self.luck.choice(
            [
                f"echo {words}",
                f"printf '<%s>' {words}",
                rf"""printf '%s:%d\n' "${name}" {self.luck.randint(0, 99)}""",
                "true",
                "false",
                f"{name}={self.word(depth)}",
                f"{name}={self.word(depth)} sh -c 'echo \"${name}\"'",
                f"(exit {self.luck.randint(0, 3)})",
                f'test {self.quoted(self.luck.choice(TEXTS))} {self.luck.choice(["=", "!="])} "${name}"',
                f'[ {self.luck.choice(["-n", "-z"])} "${name}" ]',
                f"[ {self.digit()} {self.luck.choice(['-lt', '-ge', '-eq', '-ne'])} {self.digit()} ]",
                f'echo "${name}" >> f',
                "cat f 2>/dev/null",
                "echo $?",
                f"unset {name}",
                f"eval 'echo ${name}'",
                f"export {name}; sh -c 'echo ${{{name}-gone}}'",
                "[ $# -gt 0 ] && shift" if self.luck.random() < 0.1 else "echo $#",
                "nosuchcommand 2>/dev/null",
                f"cat <<E\n{name} is ${name} $(echo x) \\$y\nE\n",
                f"cat <<'E'\n${name} `x`\nE\n",
                f"echo {words} | tr a-z A-Z",
                rf"printf '%s\n' {words} | sort | head -n 2",
                rf"printf '%s\n' {words} | while read -r l m; do echo $m,$l; done",
                f"echo {words} > g; wc -l < g | tr -d ' '",
            ]
        )

    def statement(self, depth: int) -> str:
        if not depth or self.luck.random() < 0.4:
            return self.simple(2)
        return self.pick(
            self.chain, self.condition, self.counting, self.each, self.case, self.group, self.function, self.odd
        )(depth - 1)

    def chain(self, depth: int) -> str:
        first = self.luck.choice(["", "", "! "]) + self.one(depth)
        return first + "".join(
            f" {self.luck.choice(['&&', '||'])} {self.one(depth)}" for _ in range(self.luck.randint(1, 3))
        )

    def one(self, depth: int) -> str:
        """A command that may stand in a chain."""
        return f"{{ {self.simple(1)}\n}}" if self.luck.random() < 0.7 else f"( {self.statement(depth)}\n)"

    def condition(self, depth: int) -> str:
        more = f"elif {self.simple(1)}\nthen {self.statement(depth)}\n" if self.luck.random() < 0.4 else ""
        last = f"else {self.statement(depth)}\n" if self.luck.random() < 0.6 else ""
        return f"if {self.simple(1)}\nthen {self.statement(depth)}\n{more}{last}fi"

    def counting(self, depth: int) -> str:
        self.counters += 1
        counter, kind = f"i{self.counters}", self.luck.choice(["while", "until"])
        test = "-lt" if kind == "while" else "-ge"
        leave = self.luck.choice(["", "", f"[ ${counter} = 2 ] && {self.luck.choice(['break', 'continue'])}\n"])
        body = f"{counter}=$(({counter}+1))\n{leave}{self.statement(depth)}"
        return f"{counter}=0\n{kind} [ ${counter} {test} {self.luck.randint(1, 4)} ]\ndo {body}\ndone"

    def each(self, depth: int) -> str:
        words = " ".join(self.word(1) for _ in range(self.luck.randint(0, 3)))
        given = self.luck.choice([f" in {words}", f" in {words}", ""])
        name = self.luck.choice(NAMES)
        return f'for {name}{given}\ndo echo "[${name}]"; {self.statement(depth)}\ndone'

    def case(self, depth: int) -> str:
        items = "".join(
            f"{self.luck.choice(PATTERNS)}) {self.statement(depth)}\n;;\n" for _ in range(self.luck.randint(1, 3))
        )
        return f"case {self.word(1)} in\n{items}esac"

    def group(self, depth: int) -> str:
        body = f"{self.statement(depth)}\n{self.statement(depth)}\n"
        whole = self.luck.choice([f"{{ {body}}}", f"( {body})"])
        return whole + self.luck.choice(["", f" > h{depth}; cat h{depth}", " | cat", " | sort", " 2>/dev/null"])

    def function(self, depth: int) -> str:
        self.counters += 1
        name = f"f{self.counters}"
        ends = self.luck.choice(["", f"return {self.luck.randint(0, 5)}\n", "local a=in; echo $a\n"])
        return f"{name}() {{\n{self.statement(depth)}\n{ends}}}\n{name} {self.word(1)} {self.word(1)}; echo $?"

    def odd(self, depth: int) -> str:
        return self.luck.choice(
            [
                "trap 'echo bye $?' EXIT",
                f"exit {self.luck.randint(0, 7)}",
                f"{{ {self.simple(1)}\n}} & wait $!; echo $?",
                "(sleep 0.01; exit 3) & wait; echo $?",
                "sh -c 'trap \"echo got\" TERM; kill -TERM $$; echo after; trap - TERM'",
                "mkdir -p d; cd d; touch p q; echo *; cd ..; rm -r d",
                "IFS=:; set -- $a $b; echo $#; IFS=' \t\n'",
                "set -u; echo ${a-}; set +u",
                "exec 3> k; echo out >&3; exec 3>&-; cat k",
                "command -v echo; command true; echo $?",
                "echo err >&2 2>/dev/null",
                "for i in 1 2 3; do for j in 1 2; do [ $i$j = 21 ] && continue 2; echo $i$j; done; done",
                "n=5; while :; do n=$((n-1)); [ $n -gt 0 ] || break; done; echo $n",
                "echo $((n=3)) $n $((n+=2)) $n",
                'read l <<E\n  a b \nE\necho "<$l>"',
            ]
        )


def real(script: str, shell: tuple[str, str] = DASH) -> tuple[int, bytes]:
    """What a real shell makes of it; *shell*: its path, and where it finds programs."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": shell[1], "HOME": "/root", "LC_ALL": "C"}
        done = subprocess.run(
            [shell[0], "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
    return done.returncode, done.stdout


def ours(script: str) -> tuple[int, bytes]:
    """What ours does."""
    bench = Bench("busybox", script, command=("sh", "-c"), environment={"HOME": "/root"}, workdir="/work")
    bench.start().run()
    assert bench.end is not None, "a script ends"
    return bench.end[1], b"".join(data for _, stream, data in bench.output if stream == 1)


def differs(seed: int, shell: tuple[str, str] = DASH) -> str:
    """What differs in the script of *seed*, or ""."""
    script = Writer(seed).script()
    theirs, found = real(script, shell), ours(script)
    return "" if theirs == found else f"--- seed {seed}\n{script}--- real {theirs}\n--- ours {found}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--applets", help="a folder of links to a busybox: its ash is asked, not dash")
    asked = parser.parse_args()
    shell = (f"{asked.applets}/sh", asked.applets) if asked.applets else DASH
    wrong = [found for seed in range(asked.seed, asked.seed + asked.count) if (found := differs(seed, shell))]
    print("\n".join(wrong))
    print(f"{asked.count} scripts, {len(wrong)} differ")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
