"""How the real cluster is asked: API servers over HTTPS, members over their JSON gateway, each time anew."""

import http.client
import json
import ssl
import time
import urllib.request

ETCD, SECURE = 2379, 6443
PATIENCE = 3.0
ANY_CERTIFICATE = ssl._create_unverified_context()
ADMIN = {"Authorization": "Bearer admintoken", "Connection": "close"}


def ask(address, path, method="GET", body=None, patience=PATIENCE):
    """(code, answer) of an API server; code 0: none, and the answer says why in Python's words."""
    connection = http.client.HTTPSConnection(address, SECURE, timeout=patience, context=ANY_CERTIFICATE)
    data = json.dumps(body) if body is not None else None
    try:
        connection.request(method, path, data, {**ADMIN, "Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return reply.status, json.loads(text) if text.startswith("{") else text


def status(address, patience=0.7):
    """What a member says of itself, or None."""
    url = f"http://{address}:{ETCD}/v3/maintenance/status"
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=patience) as reply:
            return json.load(reply)
    except (OSError, http.client.HTTPException):
        return None


def until(condition, seconds, every=0.25):
    """Wait for *condition*, at most so many seconds; whether it came."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(every)
    return bool(found)
