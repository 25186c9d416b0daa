"""nginx: a web server with its welcome page, and as much of its configuration as examples use.

    server { listen 8080; root /srv; location /healthz { return 200 "ok"; } }       in /etc/nginx/conf.d/*.conf

Invariant: every request leaves a line in the access log, as the log format ``main`` of the image says.
nginx.org, ngx_http_core_module and ngx_http_rewrite_module (return); the image's docker-entrypoint.
Simplified: of the configuration only listen, root, index, location (a prefix, or ``=``), return and proxy_pass; what
else stands there does nothing, and the log says so. A reload (SIGHUP) reads it anew. No TLS.
"""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kubemini.api.timestamps import date
from kubemini.containers.context import Answer, Request
from kubemini.containers.files import File, Folder, Trouble
from kubemini.containers.process import Ask, Life, Process, Server, Sleep, Wait

CONFIGURATION = "/etc/nginx/conf.d"
HOME = "/usr/share/nginx/html"
HTML = (("Content-Type", "text/html"), ("Server", "nginx"))
SERVED = {"html": "text/html", "htm": "text/html", "css": "text/css", "js": "application/javascript"}
SERVED |= {"json": "application/json", "txt": "text/plain", "png": "image/png", "svg": "image/svg+xml"}
REASONS = {403: "403 Forbidden", 404: "404 Not Found", 502: "502 Bad Gateway"}
KNOWN = ("listen", "root", "index", "location", "return", "proxy_pass", "server_name", "default_type", "error_page")
WELCOME = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
DEFAULT = b"""server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""
FILES = {f"{HOME}/index.html": WELCOME, f"{CONFIGURATION}/default.conf": DEFAULT}


@dataclass(slots=True)
class Block:
    """A server, or a location in one: its directives, and the blocks in it."""

    words: tuple[str, ...] = ()
    directives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    blocks: "list[Block]" = field(default_factory=list)

    def get(self, name: str, outer: "Block | None" = None) -> tuple[str, ...]:
        """The words of a directive, here or in the block around."""
        return self.directives.get(name) or (outer.get(name) if outer is not None else ())


def main(process: Process) -> Life:
    """Serve, in the foreground; ``nginx -s quit`` tells the one that serves, ``nginx -t`` only reads."""
    words = process.argv[1:]
    if words[:1] == ("-s",) and len(words) > 1:
        signal = {"stop": "TERM", "quit": "QUIT", "reload": "HUP"}.get(words[1])
        if signal is None:
            return process.complain(f'nginx: invalid option: "-s {words[1]}"')
        process.inside.processes[1].signal(signal)
        return 0
    for signal in ("TERM", "QUIT", "INT"):
        process.on(signal, partial(process.end, 0))
    process.on("HUP", partial(_reload, process))
    if not _begin(process):
        return 1
    if "-t" in words:
        return 0
    yield Sleep()
    return 0


def _reload(process: Process) -> None:
    _begin(process)


def _begin(process: Process) -> bool:
    """Read the configuration, and listen as it says."""
    for port in process.ports():
        process.close(port)
    servers = [server for text in _configurations(process) for server in read(text, partial(_warn, process))]
    for server in servers:
        for port in server.ports or [80]:
            try:
                process.listen(port, Server(partial(_serve, process, server)))
            except Trouble:
                process.complain(f"nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: Address in use)")
                return False
    return True


def _configurations(process: Process) -> list[str]:
    names = process.files.names(CONFIGURATION) if process.files.is_folder(CONFIGURATION) else []
    paths = [f"{CONFIGURATION}/{name}" for name in names if name.endswith(".conf")]
    return [process.files.read(path).decode("utf-8", "replace") for path in paths]


def _warn(process: Process, name: str) -> None:
    process.complain(f'nginx: [warn] "{name}" does nothing in this simulation')


def read(text: str, unknown: Any) -> list[Block]:
    """The servers of a configuration; *unknown* is told the names of directives that do nothing."""
    tokens = re.findall(r"\"[^\"]*\"|'[^']*'|[{};]|[^\s{};\"']+", re.sub(r"#[^\n]*", "", text))
    top = Block()
    stack, words = [top], list[str]()
    for token in tokens:
        if token == "{":
            block = Block(tuple(words))
            stack[-1].blocks.append(block)
            stack.append(block)
        elif token == "}":
            del stack[max(1, len(stack) - 1) :]
        elif token == ";":
            _directive(stack[-1], words, unknown)
        else:
            words.append(token.strip("\"'"))
            continue
        words = []
    return [block for block in top.blocks if block.words[:1] == ("server",)]


def _directive(block: Block, words: list[str], unknown: Any) -> None:
    if words and words[0] == "listen":
        port = re.search(r"(\d+)$", words[1] if len(words) > 1 else "")
        block.ports += [int(port[1])] if port and int(port[1]) not in block.ports else []
    elif words and words[0] in KNOWN:
        block.directives[words[0]] = tuple(words[1:])
    elif words:
        unknown(words[0])


def _location(server: Block, path: str) -> Block:
    """The location that a path falls into: an equal one, else the longest prefix."""
    found, longest = server, -1
    for block in server.blocks:
        words = block.words[1:]
        if words[:1] == ("=",) and words[1:] == (path,):
            return block
        if len(words) == 1 and path.startswith(words[0]) and len(words[0]) > longest:
            found, longest = block, len(words[0])
    return found


def _serve(process: Process, server: Block, request: Request) -> Answer:
    path = request.path.partition("?")[0]
    block = _location(server, path)
    if block.get("proxy_pass"):
        return Answer(later=partial(_pass_on, process, block, request))
    found = _returned(block, server) or _file(process, block, server, path)
    _log(process, request, found)
    return found


def _returned(block: Block, server: Block) -> Answer | None:
    words = block.get("return") or server.get("return")
    if not words or not words[0].isdigit():
        return None
    status, text = int(words[0]), words[1] if len(words) > 1 else ""
    if 300 <= status < 400:
        return Answer(status, _page(status), (*HTML, ("Location", text)))
    kind = (block.get("default_type", server) or ("application/octet-stream",))[0]
    return Answer(status, text.encode(), (("Content-Type", kind), ("Server", "nginx")))


def _file(process: Process, block: Block, server: Block, path: str) -> Answer:
    root = (block.get("root", server) or (HOME,))[0]
    whole, files = root.rstrip("/") + path, process.files
    if ".." in path.split("/"):
        return Answer(400, _page(400), HTML)
    if files.is_folder(whole):
        names = block.get("index", server) or ("index.html",)
        index = next((name for name in names if files.exists(f"{whole.rstrip('/')}/{name}")), None)
        if index is None:
            return Answer(403, _page(403), HTML)
        whole = f"{whole.rstrip('/')}/{index}"
    node = files.find(whole) if files.exists(whole) else None
    if not isinstance(node, File) or isinstance(node, Folder):
        return Answer(404, _page(404), HTML)
    kind = SERVED.get(whole.rpartition(".")[2], "application/octet-stream")
    return Answer(200, node.data, (("Content-Type", kind), ("Server", "nginx")))


def _pass_on(process: Process, block: Block, request: Request, take: Any) -> None:
    """Ask another server, and give its answer."""
    url = block.get("proxy_pass")[0].rstrip("/") + request.path

    def ask(child: Process) -> Life:
        came = yield Ask("fetch", url)
        body = came["body"]
        found = Answer(502, _page(502), HTML) if came["error"] else Answer(200, body.encode(), HTML)
        _log(process, request, found)
        take(found)
        return 0

    process.spawn(ask, ("nginx: worker process",))


def _page(status: int) -> bytes:
    title = REASONS.get(status, str(status))
    lines = ("<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{title}</h1></center>")
    return "".join(f"{line}\r\n" for line in (*lines, "<hr><center>nginx</center>", "</body>", "</html>")).encode()


def _log(process: Process, request: Request, answer: Answer) -> None:
    now = date(process.inside.runtime.wall)
    line = f'{request.source} - - [{now:%d/%b/%Y:%H:%M:%S} +0000] "{request.method} {request.path} HTTP/1.1" '
    line += f'{answer.status} {len(answer.body)} "-" "{request.headers.get("user-agent", "-")}" "-"\n'
    process.out(line)


def entrypoint(process: Process) -> Life:
    """The image's own first script: it becomes the command that it is given."""
    words = process.argv[1:] or ("nginx",)
    found = process.inside.called(words, process.environment, process.cwd)
    return (yield from process.become(*found, process.environment))
    yield Wait(())
