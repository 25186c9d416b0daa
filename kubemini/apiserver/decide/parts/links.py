"""A page that the server passes on: its links lead back through the proxy, and so does where it sends a client. Pure.

Models k/apimachinery pkg/util/proxy Transport.RoundTrip rewriteURL rewriteHTML
Simplified: a page that is packed is passed on as it is; of a tag whose links change nothing else is written anew.
"""

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

LINKS = {  # the attributes of tags that hold one
    "a": "href",
    "applet": "codebase",
    "area": "href",
    "audio": "src",
    "base": "href",
    "blockquote": "cite",
    "body": "background",
    "button": "formaction",
    "command": "icon",
    "del": "cite",
    "embed": "src",
    "form": "action",
    "frame": "longdesc src",
    "head": "profile",
    "html": "manifest",
    "iframe": "longdesc src",
    "img": "longdesc src usemap",
    "input": "src usemap formaction",
    "ins": "cite",
    "link": "href",
    "object": "classid codebase data usemap",
    "q": "cite",
    "script": "src",
    "source": "src",
    "video": "poster src",
}
TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)((?:\s[^<>]*)?)>")
ATTRIBUTE = re.compile(r"""(\s)([a-zA-Z]+)(\s*=\s*)("[^"]*"|'[^']*')""")
HTML = "text/html"


def prefix(url_path: str, path: str) -> str:
    """What stands before *path*, which the program is asked for, in the path that the server was asked for."""
    path = path if path.endswith("/") or not url_path.endswith("/") else path + "/"
    return url_path.removesuffix(path)


def page(
    headers: Iterable[tuple[str, str]], body: bytes, front: str, host: str
) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and body as the client gets them; *front*: `prefix`, *host*: whom the client has asked."""
    told = {name.lower(): value for name, value in headers}
    if told.get("location"):
        moved = ((name, _led(value, front, host) if name.lower() == "location" else value) for name, value in headers)
        return tuple(moved), body
    if told.get("content-type", "").partition(";")[0].strip() != HTML or told.get("content-encoding"):
        return tuple(headers), body
    text = TAG.sub(lambda match: _tag(match, front, host), body.decode("utf-8", "surrogateescape"))
    rest = tuple((name, value) for name, value in headers if name.lower() != "content-length")
    return rest, text.encode("utf-8", "surrogateescape")


def _tag(match: re.Match[str], front: str, host: str) -> str:
    known = LINKS.get(match[1].lower(), "").split()

    def one(found: re.Match[str]) -> str:
        if found[2].lower() not in known:
            return found[0]
        return f'{found[1]}{found[2]}="{_led(found[4][1:-1], front, host)}"'

    return f"<{match[1]}{ATTRIBUTE.sub(one, match[2])}>"


def _led(link: str, front: str, host: str) -> str:
    """*link* by way of the proxy, if it is of the same host and begins at its root."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if (parts.netloc and parts.netloc != host) or not parts.path.startswith("/"):
        return link
    path = parts.path
    if not path.startswith(front):
        path = posixpath.join(front, path.lstrip("/"))
    kept = parts.netloc and parts.netloc == host
    return urlunsplit(parts._replace(path=path) if kept else parts._replace(scheme="", netloc="", path=path))
