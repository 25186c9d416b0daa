"""A stand-in for an API server: HTTPS, and /healthz answers with the code that stands in a file.

``python -m tests.real.frontdoor.standin FOLDER PORT``: certificate, key and the file ``code`` lie in the folder.
"""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Server(ThreadingHTTPServer):
    """Serves TLS; the greeting is a matter of the connection's own thread."""

    daemon_threads = True
    request_queue_size = 4096  # what a hung one's kernel still accepts, as with Go's programs

    def __init__(self, folder, port):
        super().__init__(("", port), Answers)
        self.code = folder / "code"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def finish_request(self, request, client_address):
        super().finish_request(self.tls.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request, client_address):
        """A checker that closes before it is answered is no news."""


class Answers(BaseHTTPRequestHandler):
    """One connection."""

    def do_GET(self):
        self.send_response(int(self.server.code.read_text()))
        self.end_headers()

    def log_message(self, *_):
        """Nobody reads it."""


if __name__ == "__main__":
    Server(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
