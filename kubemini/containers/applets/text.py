"""head, tail, wc, grep, sed, sort, uniq, cut, tr, tee, seq, rev, base64, md5sum, sha256sum.

busybox coreutils, findutils/grep.c, editors/sed.c (options, exit codes).
Simplified: letters are compared by their numbers (LC_ALL=C); sed knows s, p, d, q, = and y with addresses, without
labels and hold space; tail -f ends with its input.
"""

import base64 as binary
import hashlib
import re
from collections.abc import Callable, Generator
from typing import Any

from kubemini.containers.applets.common import contents, split
from kubemini.containers.files import Trouble
from kubemini.containers.process import Life, Process

Texts = Generator[Any, Any, list[tuple[str, str]]]
_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z"}


def _inputs(process: Process, names: list[str]) -> Texts:
    """(name, text) of each file that can be read."""
    found = []
    for name in names or ["-"]:
        data = yield from contents(process, name)
        if data is not None:
            found.append((name, data.decode("utf-8", "surrogateescape")))
    return found


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _with_value(words: tuple[str, ...], letters: str) -> tuple[dict[str, str], list[str]]:
    """Options of which *letters* take a value, and the others with the value ""; and the operands."""
    options, operands, rest = dict[str, str](), list[str](), list(words[1:])
    while rest:
        word = rest.pop(0)
        if word == "--":
            return options, operands + rest
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        if word[1:].isdigit() and "n" in letters:
            options["n"] = word[1:]
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in letters:
                value = word[at + 1 :] or (rest.pop(0) if rest else "")
                options[letter] = f"{options[letter]}\n{value}" if letter == "e" and letter in options else value
                break
            options[letter] = ""
    return options, operands


def head(process: Process) -> Life:
    """The first lines (-n), or bytes (-c)."""
    return (yield from _part(process, first=True))


def tail(process: Process) -> Life:
    """The last lines (-n), or bytes (-c); ``-n +N``: from line N on."""
    return (yield from _part(process, first=False))


def _part(process: Process, first: bool) -> Life:
    options, names = _with_value(process.argv, "nc")
    count = options.get("c", options.get("n", "10")) or "10"
    texts = yield from _inputs(process, names)
    for number, (name, text) in enumerate(texts):
        if len(names) > 1 and "q" not in options:
            process.out(("\n" if number else "") + f"==> {name} <==\n")
        pieces = list(text) if "c" in options else re.findall(r"[^\n]*\n|[^\n]+", text)
        amount = int(count.lstrip("+"))
        if first:
            chosen = pieces[:amount]
        elif count.startswith("+"):
            chosen = pieces[max(amount - 1, 0) :]
        else:
            chosen = pieces[-amount:] if amount else []
        process.out("".join(chosen))
    return int(len(texts) < len(names))


def wc(process: Process) -> Life:
    """Lines, words and bytes."""
    options, names = split(process.argv)
    rows = []
    for name, text in (yield from _inputs(process, names)):
        counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode("utf-8", "surrogateescape"))}
        rows.append(([counts[letter] for letter in "lwc" if not options or letter in options], name))
    for numbers, name in rows + (
        [([sum(x) for x in zip(*(r[0] for r in rows), strict=True)], "total")] if rows[1:] else []
    ):
        shown = str(numbers[0]) if len(numbers) == 1 else " ".join(f"{number:9}" for number in numbers)
        process.out(shown + (f" {name}" if name != "-" else "") + "\n")
    return 0


# -- regular expressions -----------------------------------------------------------------------------------------------
def regex(text: str, extended: bool) -> str:
    """A regular expression of POSIX as one of Python: basic ones have their operators behind backslashes."""
    found, at = "", 0
    while at < len(text):
        letter = text[at]
        if letter == "[":
            end = text.find("]", at + 2 + (text[at + 1 : at + 2] == "^"))
            while end > 0 and text[at : end + 1].count("[:") > text[at : end + 1].count(":]"):
                end = text.find("]", end + 1)
            end = len(text) - 1 if end < 0 else end
            inner = text[at + 1 : end].replace("\\", "\\\\")
            inner = re.sub(r"\[:(\w+):\]", lambda match: _CLASSES.get(match[1], ""), inner).replace("[", r"\[")
            found, at = found + f"[{inner}]", end + 1
            continue
        if letter == "\\" and at + 1 < len(text):
            following = text[at + 1]
            plain = following in "(){}+?|"
            found += following if plain and not extended else {"<": r"\b", ">": r"\b"}.get(following, "\\" + following)
            at += 2
            continue
        special = letter in "(){}+?|" and not extended
        starts = letter == "*" and found in ("", "(", "^")
        inside = letter == "^" and at > 0 and not extended and text[at - 1] not in "(|"
        found, at = found + ("\\" + letter if special or starts or inside else letter), at + 1
    return found


def grep(process: Process) -> Life:
    """Lines that match; -E -F -v -i -c -q -n -o -w -x -l -h."""
    options, operands = _with_value(process.argv, "em")
    if "e" not in options and not operands:
        return process.complain("Usage: grep [-HhnlLoqvsrRiwFE] [-m N] [-e PTRN] [FILE]...", 2)
    pattern, names = (options["e"], operands) if "e" in options else (operands[0], operands[1:])
    extended = "E" in options or process.argv[0].rpartition("/")[2] == "egrep"
    each = [re.escape(one) if "F" in options else regex(one, extended) for one in pattern.split("\n")]
    whole = "|".join(f"(?:{one})" for one in each)
    whole = rf"\b(?:{whole})\b" if "w" in options else f"^(?:{whole})$" if "x" in options else whole
    try:
        found = re.compile(whole, re.I if "i" in options else 0)
    except re.error:
        return process.complain(f"grep: bad regex '{pattern}'", 2)
    texts = yield from _inputs(process, names)
    matched = [
        _grepped(process, options, name if len(names) > 1 and "h" not in options else "", found, text)
        for name, text in texts
    ]
    return 0 if any(matched) else 2 if len(texts) < len(names) else 1


def _grepped(process: Process, options: dict[str, str], name: str, found: re.Pattern[str], text: str) -> int:
    """How many lines of *text* match; they are shown."""
    count = 0
    for number, line in enumerate(_lines(text), 1):
        if (found.search(line) is None) != ("v" in options) or ("m" in options and count >= int(options["m"])):
            continue
        count += 1
        if options.keys() & {"q", "c", "l"}:
            continue
        where = (f"{name}:" if name else "") + (f"{number}:" if "n" in options else "")
        shown = [match[0] for match in found.finditer(line) if match[0]] if "o" in options else [line]
        process.out("".join(f"{where}{one}\n" for one in shown))
    if "c" in options and "q" not in options:
        process.out((f"{name}:" if name else "") + f"{count}\n")
    if "l" in options and count:
        process.out(f"{name or '(standard input)'}\n")
    return count


# -- sorting and columns -----------------------------------------------------------------------------------------------
def sort(process: Process) -> Life:
    """Lines in order; -n -r -u -k N -t C."""
    options, names = _with_value(process.argv, "kt")
    lines = [line for _, text in (yield from _inputs(process, names)) for line in _lines(text)]
    numeric = "n" in options or options.get("k", "").endswith("n")

    def key(line: str) -> Any:
        if "k" in options:
            column = int(re.match(r"\d+", options["k"])[0]) - 1  # type: ignore[index]
            parts = line.split(options["t"]) if options.get("t") else line.split()
            line = options.get("t", " ").join(parts[column:] if "," not in options["k"] else parts[column : column + 1])
        number = re.match(r"\s*(-?\d+(?:\.\d+)?)", line) if numeric else None
        return (float(number[1]) if number else 0.0, line) if numeric else (0.0, line)

    lines.sort(key=lambda line: (key(line), line), reverse="r" in options)
    if "u" in options:
        lines = list({key(line)[0] if numeric else key(line): line for line in reversed(lines)}.values())[::-1]
    process.out("".join(f"{line}\n" for line in lines))
    return 0


def uniq(process: Process) -> Life:
    """Lines that are not as the one before; -c with how often, -d only those that come again, -u only the others."""
    options, names = split(process.argv)
    runs: list[list[Any]] = []
    for _, text in (yield from _inputs(process, names[:1])):
        for line in _lines(text):
            if runs and runs[-1][1] == line:
                runs[-1][0] += 1
            else:
                runs.append([1, line])
    for count, line in runs:
        if ("d" in options and count == 1) or ("u" in options and count > 1):
            continue
        process.out(f"{count:7} {line}\n" if "c" in options else f"{line}\n")
    return 0


def cut(process: Process) -> Life:
    """Columns: -d C -f LIST, or letters -c LIST."""
    options, names = _with_value(process.argv, "dfcb")
    delimiter = options.get("d", "\t")
    chosen = options.get("f") or options.get("c") or options.get("b") or ""
    ranges = []
    for part in chosen.split(","):
        first, dash, last = part.partition("-")
        ranges.append((int(first or 1), int(last) if last else (1 << 30 if dash else int(first or 1))))
    for _, text in (yield from _inputs(process, names)):
        for line in _lines(text):
            pieces = line.split(delimiter) if "f" in options else list(line)
            if "f" in options and len(pieces) == 1:
                process.out("" if "s" in options else line + "\n")
                continue
            kept = [piece for at, piece in enumerate(pieces, 1) if any(low <= at <= high for low, high in ranges)]
            process.out((delimiter if "f" in options else "").join(kept) + "\n")
    return 0


def tr(process: Process) -> Life:
    """Other letters for letters; -d away with them; -s once what comes again; -c all but them."""
    options, operands = split(process.argv)
    sets = [_letters(one) for one in operands] + ["", ""]
    text = ((yield from contents(process, "-")) or b"").decode("utf-8", "surrogateescape")
    first, second = sets[0], sets[1]
    if "c" in options:
        first = "".join(sorted({letter for letter in text if letter not in first}))
    if "d" in options:
        text = "".join(letter for letter in text if letter not in first)
    elif second:
        second += second[-1] * (len(first) - len(second))
        text = text.translate({ord(old): new for old, new in zip(first, second, strict=False)})
    if "s" in options:
        squeezed = set(second or first)
        text = "".join(one for at, one in enumerate(text) if not (one in squeezed and at and text[at - 1] == one))
    process.out(text)
    return 0


def _letters(text: str) -> str:
    for name, letters in {
        "lower": "a-z",
        "upper": "A-Z",
        "digit": "0-9",
        "space": " \t\n\r\f\v",
        "alpha": "A-Za-z",
    }.items():
        text = text.replace(f"[:{name}:]", letters)
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    return re.sub(
        r"(.)-(.)", lambda found: "".join(map(chr, range(ord(found[1]), ord(found[2]) + 1))), text, flags=re.S
    )


def tee(process: Process) -> Life:
    """To its output and into files; -a at their ends."""
    options, names = split(process.argv)
    streams = []
    for name in names:
        try:
            streams.append(process.open(name, "a" if "a" in options else "w").hold())
        except Trouble as error:
            return process.complain(f"tee: {name}: {error}")
    while (data := (yield process.read())) is not None:
        process.out(data)
        for stream in streams:
            stream.write(data)
    return 0


def seq(process: Process) -> Life:
    """Numbers: LAST, FIRST LAST, FIRST STEP LAST."""
    numbers = [int(word) for word in process.argv[1:] if re.fullmatch(r"-?\d+", word)]
    if not 1 <= len(numbers) <= 3:
        return process.complain("seq: missing operand")
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) == 3 else 1
    last = numbers[-1] + (1 if step > 0 else -1)
    process.out("".join(f"{number}\n" for number in range(first, last, step or 1)))
    return 0
    yield process.read()


def rev(process: Process) -> Life:
    """Each line backwards."""
    for _, text in (yield from _inputs(process, list(process.argv[1:]))):
        process.out("".join(line[::-1] + "\n" for line in _lines(text)))
    return 0


def base64(process: Process) -> Life:
    """Bytes as letters; -d: back."""
    options, names = split(process.argv)
    data = yield from contents(process, (names or ["-"])[0])
    if data is None:
        return 1
    if "d" in options:
        process.out(binary.b64decode(data))
    else:
        text = binary.b64encode(data).decode()
        lines = [text] if "w" in options else [text[at : at + 76] for at in range(0, len(text), 76)]
        process.out("".join(f"{line}\n" for line in lines))
    return 0


def _sums(name: str) -> Callable[[Process], Life]:
    def main(process: Process) -> Life:
        status = 0
        for file in split(process.argv)[1] or ["-"]:
            data = yield from contents(process, file)
            status = status or int(data is None)
            if data is not None:
                process.out(f"{hashlib.new(name, data, usedforsecurity=False).hexdigest()}  {file}\n")
        return status

    return main


md5sum, sha1sum, sha256sum = _sums("md5"), _sums("sha1"), _sums("sha256")
