"""wget, curl, nc: clients; and busybox's httpd.

busybox networking (texts, exit codes); curl.se, man curl (EXIT CODES).
Simplified: wget and curl know no TLS, and of a page with an error curl prints nothing;
nc sends all of its input at once, and hears no more than the first answer; -l takes every connection.
"""

import re

from kubemini.containers.applets.common import contents
from kubemini.containers.context import Answer, Fetch, Packet, Request
from kubemini.containers.files import File, Folder, Trouble
from kubemini.containers.process import Ask, Life, Process, Server, Sleep
from kubemini.sim.units import SECOND

HTTP_ERROR, PATIENCE = 22, 30
FORM = {"content-type": "application/x-www-form-urlencoded"}
CURL_ENDS = (  # what the network says, curl's exit code and its words
    ("bad address", 6, "Could not resolve host"),
    ("bad port", 3, "URL rejected: Port number was not a decimal number between 0 and 65535"),
    ("Connection refused", 7, "Failed to connect: Could not connect to server"),
    ("server returned error", HTTP_ERROR, "The requested URL returned error"),
)
CURL_VALUES = ("--connect-timeout", "--max-time", "--output", "--header", "--request", "--data", "--write-out")
LOCAL = ("localhost", "127.0.0.1", "[::1]")
NOT_PERMITTED = "RTNETLINK answers: Operation not permitted"


def wget(process: Process) -> Life:
    """Fetch a page; -O FILE (``-``: to the output), -q, -T, --spider and --post-data."""
    words, to, urls, spider = list(process.argv[1:]), "", list[str](), False
    form: str | None = None
    while words:
        word = words.pop(0)
        if word.startswith("-") and not word.startswith("--") and len(word) > 1:
            letter = next((one for one in word[1:] if one in "OTtYU"), "")
            value = word.partition(letter)[2] or (words.pop(0) if words else "") if letter else ""
            to = value if letter == "O" else to
        elif word.startswith("--"):
            spider = spider or word == "--spider"
            form = word.partition("=")[2] if word.startswith("--post-data=") else form
        else:
            urls.append(word)
    if not urls:
        return process.complain("wget: missing URL")
    came = yield Ask("fetch", urls[-1] if form is None else Fetch(urls[-1], "POST", form.encode(), FORM))
    if came["error"]:
        return process.complain(f"wget: {came['error']}")
    if spider:
        return 0
    body = came["body"]
    if to in ("-", ""):
        process.out(body)
        return 0
    try:
        process.open(to, "w").hold().write(body.encode() if isinstance(body, str) else body)
    except Trouble as error:
        return process.complain(f"wget: can't open '{to}': {error}")
    return 0


def curl(process: Process) -> Life:
    """Fetch a page: -o FILE, -s, -S, -f; times are not kept, and flags without a value are passed over."""
    words, to, urls = list(process.argv[1:]), "", list[str]()
    flags = ""
    while words:
        word = words.pop(0)
        if word in CURL_VALUES or (word[:1] == "-" and word[1:2] != "-" and word[-1:] in "mowHXdAu"):
            value = words.pop(0) if words else ""
            to = value if word in ("-o", "--output") else to
        elif word.startswith("-"):
            flags += (
                word[1:] if word[1:2] != "-" else {"--fail": "f", "--silent": "s", "--show-error": "S"}.get(word, "")
            )
        else:
            urls.append(word)
    if not urls:
        return process.complain("curl: (2) no URL specified", 2)
    came = yield Ask("fetch", urls[-1])
    error = came["error"]
    code, text = next(((code, text) for mark, code, text in CURL_ENDS if mark in error), (28, "Connection timed out"))
    if error and (code != HTTP_ERROR or "f" in flags):
        return code if "s" in flags and "S" not in flags else process.complain(f"curl: ({code}) {text}", code)
    if not to:
        process.out(came["body"])
        return 0
    try:
        process.open(to, "w").hold().write(came["body"].encode())
    except Trouble:
        return process.complain("curl: (23) client returned ERROR on write", 23)
    return 0


def nc(process: Process) -> Life:
    """HOST PORT: its input goes there, what comes back is its output; -u by UDP, -z only looks; -l -p PORT: listen."""
    options, values, operands = _letters(process.argv)
    ports = [int(one) for one in (values.get("p", ""), *operands) if one.isdigit()]
    if "l" in options and ports:
        process.listen(ports[-1], Server())
        yield Sleep()
    if not ports or len(operands) < 2:
        return process.complain("nc: usage: nc [-z] HOST PORT")
    host, port, protocol = operands[0], ports[-1], "UDP" if "u" in options else "TCP"
    if "z" in options:
        came = yield Ask("fetch", f"{operands[0]}:{ports[-1]}/")
        return int(bool(came["error"]) and "server returned" not in came["error"])
    data = (yield from contents(process, "-")) or b""
    came = yield Ask("send", Packet(protocol, host, port, data, int(values.get("w") or PATIENCE) * SECOND))
    error = came["error"]
    if error and not (protocol == "UDP" and "timed out" in error):
        why = error.rpartition(": ")[2] if "refused" in error else error
        said = f"nc: connect to {host} port {port} ({protocol.lower()}) failed: {why}"
        return process.complain(said) if "v" in options else 1
    if "v" in options:
        process.complain(f"Connection to {host} {port} port [{protocol.lower()}/*] succeeded!")
    process.out(came["body"])
    return 0


def _letters(argv: tuple[str, ...]) -> tuple[set[str], dict[str, str], list[str]]:
    """The letters that stand alone, those with a value, and the operands."""
    options, values, operands = set[str](), dict[str, str](), list[str]()
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        letter = next((one for one in word[1:] if one in "wpsqi"), "")
        alone, _, value = word[1:].partition(letter) if letter else (word[1:], "", "")
        options |= set(alone)
        if letter:
            values[letter] = value or (words.pop(0) if words else "")
    return options, values, operands


def ip(process: Process) -> Life:
    """link add|del|set …: only who is privileged may."""
    words = process.argv[1:]
    if words[:1] != ("link",) or words[1:2] not in (("add",), ("del",), ("set",)):
        return process.complain("BusyBox: ip: only link add, del and set are simulated")
    return 0 if process.inside.setting.privileged else process.complain(f"ip: {NOT_PERMITTED}", 2)
    yield Sleep()


def httpd(process: Process) -> Life:
    """Serve the files of a folder: -f -p PORT -h FOLDER."""
    words = " ".join(process.argv[1:])
    port = re.search(r"-p\s*(?:\S*:)?(\d+)", words)
    home = re.search(r"-h\s*(\S+)", words)
    folder = process.path(home[1]) if home else process.cwd
    try:
        process.listen(int(port[1]) if port else 80, Server(lambda request: served(process, folder, request)))
    except Trouble as error:
        return process.complain(f"httpd: bind: {error}")
    if "-f" not in process.argv and "-f" not in words:
        process.complain("httpd: it goes on in the foreground here", 0)
    yield Sleep()
    return 0


def served(process: Process, folder: str, request: Request, index: str = "index.html") -> Answer:
    """The file that a request means, or 404."""
    path = folder.rstrip("/") + "/" + request.path.partition("?")[0].lstrip("/")
    if ".." in path.split("/") or not process.files.exists(path):
        return not_found()
    node = process.files.find(path)
    if isinstance(node, Folder):
        path = f"{path.rstrip('/')}/{index}"
        node = process.files.find(path) if process.files.exists(path) else node
    if not isinstance(node, File):
        return not_found()
    return Answer(200, node.data, (("Content-Type", kind(path)),))


def kind(path: str) -> str:
    """The type of a file, by the end of its name."""
    ends = {"html": "text/html", "css": "text/css", "js": "application/javascript", "json": "application/json"}
    return ends.get(path.rpartition(".")[2], "text/plain" if path.endswith(".txt") else "application/octet-stream")


def not_found() -> Answer:
    """busybox's words."""
    page = b"<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n<BODY><H1>404 Not Found</H1>\n"
    page += b"The requested URL was not found\n</BODY></HTML>\n"
    return Answer(404, page, (("Content-Type", "text/html"),))
