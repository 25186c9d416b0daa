"""Requests to the real API server, over a connection that is kept."""

import http.client
import json
import ssl

ANY_CERTIFICATE = ssl._create_unverified_context()
PATIENCE = 300  # seconds, on a busy machine
AGENT = "recorder/1.0"


class Client:
    """Requests of one thread, over a connection that is kept."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, body=None, type="application/json"):
        """(code, answer) of one request; one that found its kept connection closed is sent again."""
        headers = {"Authorization": "Bearer admintoken", "Accept": "application/json", "User-Agent": AGENT}
        headers |= {"Content-Type": type} if body is not None else {}
        data = None if body is None else json.dumps(body)
        for last in (False, True):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.port, timeout=PATIENCE, context=ANY_CERTIFICATE
                )
            try:
                self.connection.request(method, path, data, headers)
                reply = self.connection.getresponse()
                return reply.status, json.loads(reply.read())
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):  # what is idle is closed
                self.connection.close()
                self.connection = None
                if last:
                    raise
        raise AssertionError("not reached")
