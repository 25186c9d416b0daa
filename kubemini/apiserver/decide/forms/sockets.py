"""A watch or a log over a WebSocket, as a browser opens it: each event, or piece, is a message. Pure.

Models k/apiserver pkg/endpoints/handlers WatchServer.HandleWS; k/streaming pkg/httpstream/wsstream Reader.Copy
NewDefaultReaderProtocols IgnoreReceivesWithLogger.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from kubemini.apiserver.decide.forms.media import PROTOBUF, Accepted
from kubemini.apiserver.decide.forms.plain import Passed, Ready
from kubemini.frames import Broken, websocket
from kubemini.frames.websocket import BINARY, CLOSE, TEXT, Frames, frame

BASE64 = "base64.binary.k8s.io"
READERS = ("", "binary.k8s.io", BASE64)
NO_ORIGIN = "null origin"


def refused_watch(headers: Mapping[str, str]) -> Ready | None:
    """Why no WebSocket begins for a watch that wants one, or None.

    A browser says from which page it comes (Origin), and who says nothing is refused.
    """
    if not websocket.is_wanted(headers):
        return None
    asked = websocket.protocols(headers)
    why = websocket.refusal(headers) or ("bad WebSocket Protocol" if len(asked) > 1 else "")
    if why:
        return Ready(400, (), why.encode())
    return None if headers.get("origin") else Ready(403, (), NO_ORIGIN.encode())


def of_watch(
    headers: Mapping[str, str], form: Accepted, encode: Callable[[Any], bytes], leave: Callable[[], None]
) -> Passed | None:
    """The answer to a watch that wants a WebSocket; None if it wants none. *leave*: the client has gone."""
    if not websocket.is_wanted(headers):
        return None
    asked, opcode = websocket.protocols(headers), BINARY if form.media == PROTOBUF else TEXT
    return _opened(headers, asked[0] if asked else "", lambda event: frame(opcode, encode(event)), leave)


def of_log(headers: Mapping[str, str], leave: Callable[[], None]) -> Passed | Ready | None:
    """The answer to who wants a log over a WebSocket; None if he wants none. *leave*: the client has gone."""
    if not websocket.is_wanted(headers):
        return None
    asked = websocket.protocols(headers)
    protocol, why = websocket.first_known(asked, READERS), websocket.refusal(headers)
    if why or protocol is None:
        shown = f"requested protocol(s) are not supported: [{' '.join(asked)}]; supports [{' '.join(READERS)}]"
        return Ready(400 if why else 403, (), (why or shown).encode())
    if protocol == BASE64:
        return _opened(headers, protocol, lambda data: frame(TEXT, base64.b64encode(data)), leave)
    return _opened(headers, protocol, lambda data: frame(BINARY, data), leave)


def _opened(
    headers: Mapping[str, str], protocol: str, encode: Callable[[Any], bytes], leave: Callable[[], None]
) -> Passed:
    frames = Frames()

    def take(data: bytes) -> None:
        """What the client says is read and thrown away, until it leaves."""
        try:
            over = any(message.opcode == CLOSE for message in frames.receive(data))
        except Broken:
            over = True
        if over:
            leave()

    return Passed(101, websocket.greeting(headers, protocol), encode, take, websocket.closing())
